"""A run's folder: its record, a line a scene, safe against kills and against mixed settings."""

import fcntl
import os
import shutil
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from dmef_bench.atomic_write import atomic_write, explained
from dmef_bench.errors import IntegrityError, UsageError
from leaderboard.records import (
    PICTURES_FOLDER,
    RUN_FILE,
    SAMPLES_FILE,
    RunRecord,
    SampleRecord,
)

PREDICTIONS_FOLDER: Final = "predictions"


class RunFolder:
    """Opens a run to write to, new or to go on with; one process at a time.

    Attributes:
        path: the folder.
        record: what `run.json` holds.
        samples: finished scenes by id; scenes that failed earlier are not among them.
    """

    def __init__(self, path: Path, record: RunRecord, *, overwrite: bool = False) -> None:
        """Make the folder, or take up the run that is in it.

        Args:
            path: the run's folder.
            record: the run that is wanted.
            overwrite: throw away what another run left here.

        Raises:
            UsageError: the folder holds a run with other settings, no readable run, or is being
                written by another process.
            MissingError: the folder can't be written.
        """
        self.path = path
        with explained(path):
            path.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(path)
        try:
            if overwrite:
                _empty(path)
            earlier = _same_run(path, record)
            self.record = earlier or record
            self.samples, dropped = _read_finished(path / SAMPLES_FILE)
            if earlier is None:
                self.save(record)
            if dropped or earlier is None:
                self._rewrite()
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, *exception: object) -> None:
        os.close(self._lock)

    def save(self, record: RunRecord) -> None:
        """Replace `run.json`."""
        content = record.model_dump_json(indent=2) + "\n"
        atomic_write(self.path / RUN_FILE, content.encode())
        self.record = record

    def add(self, sample: SampleRecord) -> None:
        """Append a scene's line and wait until it is on the disk; an earlier line is replaced."""
        earlier = self.samples.pop(sample.scene, None)
        if earlier is not None:
            self._rewrite()
        path = self.path / SAMPLES_FILE
        with explained(path), path.open("ab") as stream:
            stream.write(_line(sample))
            stream.flush()
            os.fsync(stream.fileno())
        self.samples[sample.scene] = sample

    def arrange(self, order: list[str]) -> None:
        """Bring the lines into the order of these scenes; others stay behind them as they were."""
        first = [scene for scene in order if scene in self.samples]
        arranged = [*first, *(scene for scene in self.samples if scene not in set(order))]
        if arranged != list(self.samples):
            self.samples = {scene: self.samples[scene] for scene in arranged}
            self._rewrite()

    def _rewrite(self) -> None:
        content = b"".join(_line(sample) for sample in self.samples.values())
        atomic_write(self.path / SAMPLES_FILE, content)


def finished_scenes(path: Path, record: RunRecord, *, overwrite: bool = False) -> set[str]:
    """Ids of the scenes that a run into this folder would not do again; changes nothing.

    Raises:
        UsageError: the folder holds a run with other settings.
        IntegrityError: a line of it is damaged.
    """
    if overwrite or _same_run(path, record) is None:
        return set()
    return set(_read_finished(path / SAMPLES_FILE)[0])


def _read_finished(path: Path) -> tuple[dict[str, SampleRecord], bool]:
    """Finished scenes by id, and whether lines were left out.

    Left out are a last line that a kill cut short, and failed scenes, which are to be tried again.

    Raises:
        IntegrityError: a line that was written whole can't be read.
    """
    content = path.read_bytes() if path.exists() else b""
    *lines, rest = content.split(b"\n")
    samples: dict[str, SampleRecord] = {}
    for number, line in enumerate(lines, start=1):
        try:
            sample = SampleRecord.model_validate_json(line)
        except ValidationError as error:
            raise IntegrityError(
                f"{path}: line {number} is damaged; run with --overwrite to begin anew"
            ) from error
        if sample.error is None:
            samples[sample.scene] = sample
    return samples, bool(rest) or len(samples) < len(lines)


def _line(sample: SampleRecord) -> bytes:
    return sample.model_dump_json().encode() + b"\n"


def _lock(folder: Path) -> int:
    """An open descriptor that keeps other processes out; the kernel lets go of it after a kill."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise UsageError(
            f"{folder}: another process is writing this run; wait for it or choose another -o"
        ) from None
    return descriptor


def _empty(folder: Path) -> None:
    """Take away what a run leaves, the record first, so that a kill leaves no half of one."""
    for name in (RUN_FILE, SAMPLES_FILE):
        (folder / name).unlink(missing_ok=True)
    for name in (PICTURES_FOLDER, PREDICTIONS_FOLDER):
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)


def _same_run(folder: Path, wanted: RunRecord) -> RunRecord | None:
    """The record of the wanted run where the folder holds one, None for an empty folder.

    Raises:
        UsageError: what is here is another run, or none that can be read.
    """
    path = folder / RUN_FILE
    if not path.exists():
        samples = folder / SAMPLES_FILE
        if samples.exists() and samples.stat().st_size:
            raise UsageError(
                f"{folder}: holds {SAMPLES_FILE} without {RUN_FILE}; use --overwrite to replace it"
            )
        return None
    try:
        here = RunRecord.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise UsageError(
            f"{path}: no run record this version can read; use --overwrite to replace it"
        ) from error
    differing = [
        f"{name} was {here.settings.get(name, 'not set')!r}, "
        f"is now {wanted.settings.get(name, 'not set')!r}"
        for name in sorted(here.settings.keys() | wanted.settings.keys())
        if here.settings.get(name) != wanted.settings.get(name)
    ]
    if differing:
        raise UsageError(
            f"{folder}: holds a run with other settings ({'; '.join(differing)}); "
            "use --overwrite to replace it, or another -o"
        )
    return here
