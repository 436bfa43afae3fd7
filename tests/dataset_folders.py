"""Small clips, datasets made of them, and folders compared byte by byte."""

import shutil
from pathlib import Path

from synth.moving_scenes import write_clip

SIZE = {"height": 108, "width": 192}


def write_clips(folder: Path, count: int) -> Path:
    """`count` generated clips of a second, `clip0.mp4` and so on; `folder` is made."""
    for seed in range(count):
        write_clip(folder / f"clip{seed}.mp4", seed, frames=12, fps=12, **SIZE)
    return folder


def some_of(clips: Path, folder: Path, numbers: range) -> Path:
    """A folder with copies of these clips."""
    folder.mkdir(parents=True)
    for number in numbers:
        shutil.copyfile(clips / f"clip{number}.mp4", folder / f"clip{number}.mp4")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` by name, with its bytes; folders too, so that none is left over."""
    return {
        str(path.relative_to(folder)): b"" if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


def copy(folder: Path, to: Path) -> Path:
    """A copy that may be altered."""
    shutil.copytree(folder, to)
    return to
