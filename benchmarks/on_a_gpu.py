"""All that only a GPU can tell, in one command: `python benchmarks/on_a_gpu.py`.

What is of most interest comes first; every step is a process of its own with a time limit, so that
one that fails or hangs costs no other, and results are written as they come (benchmarks/results/).
`--minutes` is shared out among the steps still to come. `--train FOLDER` then spends what is left
on training all methods under one budget, with the photographs of that folder and half a minute
kept back; with `--only train` it spends all of it so, and goes on from there.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PYTHON = (sys.executable, "-u")
KEPT_BACK = 30
# Name, share of the time, command.
STEPS: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    (
        "tests",
        2,
        (
            "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "gpu or replay",
            "tests/dmef_bench/ipl_plus/test_ipl_plus_cuda.py",
            "tests/dmef_bench/ipl/test_ipl_cuda.py",
        ),
    ),
    ("ipl-plus", 4, ("benchmarks/ipl_plus_cuda.py", "--tiles")),
    ("ipl", 3, ("benchmarks/ipl_cuda.py", "--tiles")),
    *(
        (
            f"time-{method}",
            0.5,
            (
                "-m", "dmef_bench", "time", "--method", method, "--device", "cuda",
                "--precision", "fp16", "-q",
                "--results", str(RESULTS / f"time-{method}-cuda-fp16.json"),
            ),
        )
        for method in ("ipl-plus", "ipl")
    ),
    ("training-data", 1, ("benchmarks/training_data.py",)),
    ("baselines", 3, ("benchmarks/baselines_speed.py", "--repeats", "5")),
)  # fmt: skip


def run(name: str, command: Sequence[str], seconds: float) -> str | None:
    """Run a step; what went wrong, or None."""
    print(f"== {name}: at most {seconds:.0f} s", flush=True)
    try:
        done = subprocess.run([*PYTHON, *command], cwd=ROOT, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return f"took longer than {seconds:.0f} s"
    return None if done.returncode == 0 else f"exit code {done.returncode}"


def main() -> None:
    """Run all steps and say at the end what failed."""
    names = [*(name for name, _, _ in STEPS), "train"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=9)
    parser.add_argument("--only", choices=names, action="append", help="may be repeated")
    parser.add_argument("--train", type=Path, metavar="FOLDER", help="of photographs")
    parser.add_argument("--out", type=Path, default=Path("trained"), help="of the training")
    options = parser.parse_args()
    chosen = names if options.only is None else options.only
    if options.train is None and "train" in (options.only or ()):
        parser.error("--only train wants --train FOLDER")
    end = time.monotonic() + 60 * options.minutes
    steps = [step for step in STEPS if step[0] in chosen]
    trains = options.train is not None and "train" in chosen
    # Training takes as much as the largest step, or all where it is alone.
    shares = sum(share for _, share, _ in steps) + (4 if trains else 0)
    failed = {}
    for name, share, command in steps:
        problem = run(name, command, (end - time.monotonic()) * share / shares)
        shares -= share
        if problem is not None:
            failed[name] = problem
    if trains:
        left = end - time.monotonic()
        command = (
            "-m", "dmef_bench", "train", "--method", "all", "--track", "both", "--data-on-device",
            "--photos", str(options.train.resolve()), "--device", "cuda", "--precision", "bf16",
            "--minutes", f"{max(left - KEPT_BACK, 1) / 60:.2f}",
            "--out", str(options.out.resolve()), "-q",
        )  # fmt: skip
        problem = run("train", command, left)
        if problem is not None:
            failed["train"] = problem
    for name, problem in failed.items():
        print(f"failed: {name}: {problem}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
