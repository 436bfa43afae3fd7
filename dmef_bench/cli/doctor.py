"""`dmef-bench doctor`: is everything here that the other verbs need?"""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dmef_bench import __version__
from dmef_bench.cli.options import emit, format_option
from dmef_bench.errors import MissingError

# A 4K scene takes about 80 MB of PNG, and its work files as much again for a moment.
_ENOUGH_DISK = 2 << 30
# SSIM and a learned method at 4K each hold a few float32 pictures of 100 MB.
_ENOUGH_MEMORY = 6 << 30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: "ok", "limited" (works with less) or "missing"."""

    subject: str
    state: Literal["ok", "limited", "missing"]
    detail: str


def _python() -> Finding:
    wanted = sys.version_info >= (3, 11)
    return Finding("Python", "ok" if wanted else "missing", platform.python_version())


def _torch() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding("PyTorch", "ok", f"{torch.__version__}, {torch.cuda.get_device_name()}")
    return Finding("PyTorch", "limited", f"{torch.__version__}, CPU only: times are the CPU's")


def _ffmpeg() -> Finding:
    from dmef_bench.video import ffmpeg_version

    return Finding("ffmpeg", "ok", ffmpeg_version())


def _lpips() -> Finding:
    from dmef_bench.evaluation import lpips_backbones

    usable, absent = lpips_backbones()
    if usable:
        return Finding("LPIPS", "ok", "backbones here: " + ", ".join(usable))
    return Finding(
        "LPIPS",
        "limited",
        f"n/a in tables: no pretrained backbone here ({', '.join(absent)}); "
        "name one with --lpips-backbone",
    )


def _methods() -> Finding:
    from baselines import MethodError, available

    broken = [f"{name} ({info})" for name, info in available() if isinstance(info, MethodError)]
    if broken:
        return Finding("Methods", "limited", "broken plug-ins: " + "; ".join(broken))
    return Finding("Methods", "ok", ", ".join(name for name, _ in available()))


def _memory() -> Finding:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    state: Literal["ok", "limited"] = "ok" if memory >= _ENOUGH_MEMORY else "limited"
    cores = len(os.sched_getaffinity(0))
    return Finding("Memory, cores", state, f"{memory / 2**30:.1f} GiB, {cores} cores")


def _disk() -> Finding:
    try:
        with tempfile.NamedTemporaryFile(dir=Path.cwd()):
            free = shutil.disk_usage(Path.cwd()).free
    except OSError as error:
        return Finding("Current folder", "limited", f"can't be written: {error.strerror}")
    state: Literal["ok", "limited"] = "ok" if free >= _ENOUGH_DISK else "limited"
    return Finding("Current folder", state, f"writable, {free / 2**30:.1f} GiB free")


_CHECKS: dict[str, Callable[[], Finding]] = {
    "Python": _python,
    "PyTorch": _torch,
    "ffmpeg": _ffmpeg,
    "Methods": _methods,
    "LPIPS": _lpips,
    "Memory, cores": _memory,
    "Current folder": _disk,
}


def examine() -> list[Finding]:
    """Look at everything; what raises is a finding too, named by its subject."""
    findings = []
    for subject, check in _CHECKS.items():
        try:
            findings.append(check())
        except Exception as error:  # a broken installation can raise anything at import
            findings.append(Finding(subject, "missing", f"{type(error).__name__}: {error}"))
    return findings


def _print(findings: list[Finding]) -> None:
    table = Table(title=f"dmef-bench {__version__}", title_justify="left", box=box.SIMPLE)
    for heading in ("", "state", "what was found"):
        table.add_column(heading, overflow="fold")
    colour = {"ok": "green", "limited": "yellow", "missing": "red"}
    for finding in findings:
        table.add_row(
            finding.subject, Text(finding.state, colour[finding.state]), Text(finding.detail)
        )
    Console().print(table)


@click.command()
@format_option
def command(output_format: str) -> None:
    """Check that this machine has what dmef-bench needs (exit code 3 where it has not)."""
    findings = examine()
    emit(output_format, [asdict(finding) for finding in findings], lambda: _print(findings))
    missing = [finding.subject for finding in findings if finding.state == "missing"]
    if missing:
        raise MissingError(
            f"missing: {', '.join(missing)}. `pip install dmef-bench` installs all it needs."
        )
