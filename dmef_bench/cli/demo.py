"""`dmef-bench demo`: the whole way once, from generated 4K clips to a leaderboard."""

import shlex
import subprocess
import sys
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import click

from dmef_bench.cli.options import default_workers, quiet_option, workers_option
from dmef_bench.errors import DmefError
from dmef_bench.progress import progress_bar

# Three of eleven scenes become the test split: the fewest that give an interval.
_CLIPS = 11
_FRAMES = 14
_FPS = 24
# The others with weights (SAFNet, AHDRNet in chunks) take more than a minute a picture on a CPU.
_METHODS = (
    "copy-reference", "invert-response", "mertens", "gdc", "meflut", "ahdrnet", "fshdr",
    "hdr-transformer", "sctnet", "bracketire", "ipl", "ipl-plus",
)  # fmt: skip


@click.command("demo")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("demo"), show_default=True,
    help="Folder for the clips, the dataset, the results and the leaderboard.",
)  # fmt: skip
@click.option(
    "--height", type=click.IntRange(min=64), default=2160, show_default=True,
    help="Rows of the clips; they are 16:9.",
)  # fmt: skip
@click.option("--clips", type=click.IntRange(min=2), default=_CLIPS, show_default=True)
@click.option(
    "--method",
    "methods",
    multiple=True,
    default=_METHODS,
    help="A method to run; may be repeated.  [default: those that are quick on a CPU]",
)
@workers_option
@quiet_option
def command(
    output: Path,
    height: int,
    clips: int,
    methods: tuple[str, ...],
    workers: int | None,
    quiet: bool,
) -> None:
    """Generate 4K clips, build a 4K-DMEF from them, run the methods, write the leaderboard.

    Every step after the clips is a command of its own, printed before it runs. What an earlier
    demo finished is not done again.
    """
    videos = output / "videos"
    generate_clips(videos, height, clips, workers or default_workers(), quiet=quiet)
    silence = ["--quiet"] if quiet else []
    data, results, page = output / "4k-dmef", output / "results", output / "leaderboard"
    jobs = [] if workers is None else ["--workers", str(workers)]
    build = ["build-dataset", videos, "-o", data, "--min-height", height, *jobs, *silence]
    run = ["run", "--data", data, "-o", results, *silence]
    steps = [
        build,
        [*run, *(word for name in methods for word in ("--method", name))],
        # The resolution Table 1 prints for IPL, beside the whole picture its text speaks of.
        [*run, "--method", "ipl", "--resolution", "256x256"],
        ["leaderboard", results, "-o", page],
    ]
    for step in steps:
        _run([str(word) for word in step], quiet=quiet)
    if not quiet:
        click.echo(
            f"\nclips       {videos}\ndataset     {data}\nresults     {results}\n"
            f"leaderboard {page / 'leaderboard.html'} (also .md and .csv)"
        )


def generate_clips(folder: Path, height: int, count: int, workers: int, *, quiet: bool) -> None:
    """Write scene-01.mp4, scene-02.mp4, ... below `folder`; those that are there are kept.

    Raises:
        DmefError: a clip can't be encoded or written.
    """
    from dmef_bench.atomic_write import explained

    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    names = {seed: folder / f"scene-{seed:02d}.mp4" for seed in range(1, count + 1)}
    missing = {seed: path for seed, path in names.items() if not path.exists()}
    with (
        progress_bar(quiet=quiet) as bar,
        ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
    ):
        task = bar.add_task("clips", total=count, completed=count - len(missing))
        waiting: list[Future[None]] = [
            pool.submit(_clip, path, seed, height) for seed, path in missing.items()
        ]
        for done in as_completed(waiting):
            done.result()
            bar.advance(task)


def _clip(path: Path, seed: int, height: int) -> None:
    from dmef_bench.atomic_write import explained
    from synth.moving_scenes import ClipError, write_clip

    width = height * 16 // 9 // 2 * 2
    try:
        with explained(path):
            write_clip(
                path, seed, height=height, width=width, frames=_FRAMES, fps=_FPS,
                codec="hevc" if seed % 3 == 0 else "h264",  # phones record both
            )  # fmt: skip
    except ClipError as error:
        raise DmefError(str(error)) from error


def _run(arguments: list[str], *, quiet: bool) -> None:
    """Run one verb as its user would; its exit code, where not 0, ends the demo."""
    if not quiet:
        click.echo(click.style(f"\n$ dmef-bench {shlex.join(arguments)}", bold=True), err=True)
    code = subprocess.run([sys.executable, "-m", "dmef_bench", *arguments], check=False).returncode
    if code:
        sys.exit(code)
