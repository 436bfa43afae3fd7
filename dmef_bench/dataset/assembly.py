"""Put finished files into their places so that a crash at any moment can be completed.

A plan, written whole before anything is moved, lists every move and removal. Carrying it out again
from any point gives the same folder.
"""

import contextlib
import shutil
from pathlib import Path

from pydantic import ValidationError

from dmef_bench.atomic_write import atomic_write, explained, fsync_folder, sha256_of_file
from dmef_bench.dataset.layout import WORK_FOLDER, belongs, plain_file
from dmef_bench.dataset.manifest import why
from dmef_bench.dataset.records import DiskRecord, InsideName, Sha256
from dmef_bench.errors import IntegrityError

PLAN_FILE = "plan.json"


class Move(DiskRecord):
    """A file of the work folder and the name it gets in the dataset."""

    source: InsideName
    target: InsideName
    sha256: Sha256


class Plan(DiskRecord):
    """All that turns the folder as it is into the dataset as it shall be, in this order."""

    moves: tuple[Move, ...]
    removals: tuple[InsideName, ...] = ()


def carry_out(output: Path, plan: Plan) -> None:
    """Write the plan down, then follow it; afterwards the work folder's plan is gone.

    Raises:
        MissingError: the disk is full or read-only; the same call later goes on.
    """
    atomic_write(output / WORK_FOLDER / PLAN_FILE, plan.model_dump_json().encode())
    _follow(output, plan)


def waits_for_completion(output: Path) -> bool:
    """Whether a crash left a plan in the work folder of `output`."""
    return (output / WORK_FOLDER / PLAN_FILE).exists()


def complete(output: Path) -> bool:
    """Follow a plan that a crash left behind.

    A plan of which nothing was done yet is dropped where a file it needs is not as it was: the
    build will make that file and the plan anew.

    Returns:
        Whether there was a plan, which is done now.

    Raises:
        IntegrityError: the plan is broken, or a file it needs is missing or altered.
        MissingError: the disk is full or read-only.
    """
    if not waits_for_completion(output):
        return False
    path = output / WORK_FOLDER / PLAN_FILE
    try:
        plan = Plan.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise _beyond_repair(output, why(error)) from error
    for name in (*(move.target for move in plan.moves), *plan.removals):
        if not belongs(name):
            raise _beyond_repair(output, f"{name!r} is no file of a dataset")
    try:
        for move in plan.moves:
            _check(output, move)
    except IntegrityError as error:
        if not all((output / WORK_FOLDER / move.source).exists() for move in plan.moves):
            raise _beyond_repair(output, str(error)) from error
        path.unlink()
        return False
    _follow(output, plan)
    return True


def _beyond_repair(output: Path, reason: str) -> IntegrityError:
    return IntegrityError(
        f"{output}: its interrupted build can't be completed ({reason}); "
        "remove this folder and build again"
    )


def remove_work(output: Path) -> None:
    """Remove the work folder: the plan first, for without it the rest means nothing."""
    work = output / WORK_FOLDER
    with explained(work):
        (work / PLAN_FILE).unlink(missing_ok=True)
        shutil.rmtree(work)
        fsync_folder(output)


def _check(output: Path, move: Move) -> None:
    work = output / WORK_FOLDER
    root, name = (work, move.source) if (work / move.source).exists() else (output, move.target)
    plain_file(root, name)
    if sha256_of_file(root / name) != move.sha256:
        raise IntegrityError(f"{root / name} was altered")


def _follow(output: Path, plan: Plan) -> None:
    folders = {output}
    with explained(output):
        for move in plan.moves:
            source, target = output / WORK_FOLDER / move.source, output / move.target
            target.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # moved before the crash
                source.replace(target)
            folders |= {target.parent, target.parent.parent}
        for name in plan.removals:
            (output / name).unlink(missing_ok=True)
            for folder in (output / name).parents[: len(Path(name).parts) - 1]:
                with contextlib.suppress(OSError):  # not empty yet, or gone already
                    folder.rmdir()
        for folder in folders:
            if folder.is_dir():
                fsync_folder(folder)
    (output / WORK_FOLDER / PLAN_FILE).unlink()
