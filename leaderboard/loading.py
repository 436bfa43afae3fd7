"""From a folder of results to runs; what is broken is named, never dropped in silence."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from leaderboard.errors import LeaderboardError, RecordError
from leaderboard.plain_file import read_plain
from leaderboard.records import RUN_FILE, SAMPLES_FILE, SCHEMA_VERSION, RunRecord, SampleRecord
from leaderboard.wording import printable

# results/<method>@<weights>/<dataset>/<track>-<protocol>
_DEPTH = 3
_RUN_LIMIT = 4 * 2**20
_SAMPLES_LIMIT = 64 * 2**20


@dataclass(frozen=True)
class Run:
    """One run as it lies on disk: its record, a sample a finished scene, and its folder."""

    record: RunRecord
    samples: tuple[SampleRecord, ...]
    folder: Path


@dataclass(frozen=True)
class Skipped:
    """A folder that should be a run and isn't, with the reason in one sentence."""

    folder: Path
    reason: str


@dataclass(frozen=True)
class Results:
    """Every run of a results folder, and every one that could not be read."""

    runs: tuple[Run, ...]
    skipped: tuple[Skipped, ...]


def load_run(folder: Path) -> Run:
    """Read one run folder.

    Raises:
        RecordError: a file is missing, damaged, a link, or of another schema; the message names
            the file. A last line of samples.jsonl that a killed run left half-written is no error.
    """
    record = _read_record(folder / RUN_FILE)
    samples = _read_samples(folder / SAMPLES_FILE)
    if len(samples) > record.dataset.scenes:
        raise RecordError(
            f"{folder / SAMPLES_FILE}: {len(samples)} scenes, but {RUN_FILE} says the split "
            f"has {record.dataset.scenes}"
        )
    return Run(record, samples, folder)


def read_results(results: Path) -> Results:
    """Read every run below `results`; the broken ones are listed with the reason.

    Args:
        results: results/<method>@<weights>/<dataset>/<track>-<protocol>[-<resolution>]/.

    Raises:
        LeaderboardError: `results` is not a folder that can be read.
    """
    runs: list[Run] = []
    skipped: list[Skipped] = []
    for folder, is_link in _run_folders(results, _DEPTH):
        if is_link:
            skipped.append(Skipped(folder, f"{folder}: it is a link, which is not followed"))
            continue
        try:
            runs.append(load_run(folder))
        except RecordError as error:
            skipped.append(Skipped(folder, printable(str(error), 400)))
    return Results(tuple(runs), tuple(skipped))


def load_runs(results: Path) -> list[Run]:
    """Every run below `results`, or an error: the strict form of `read_results`.

    Raises:
        RecordError: one of the runs can't be read.
        LeaderboardError: `results` is not a folder that can be read.
    """
    found = read_results(results)
    if found.skipped:
        raise RecordError(found.skipped[0].reason)
    return list(found.runs)


def _run_folders(folder: Path, depth: int) -> Iterator[tuple[Path, bool]]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        raise LeaderboardError(
            f"{folder}: can't be read as a results folder ({error.strerror}); "
            "name the folder that `dmef-bench run` wrote to"
        ) from error
    for entry in entries:
        path = Path(entry.path)
        if entry.is_symlink():
            if path.is_dir():
                yield path, True
        elif entry.is_dir():
            if depth > 1:
                yield from _run_folders(path, depth - 1)
            elif any(os.path.lexists(path / name) for name in (RUN_FILE, SAMPLES_FILE)):
                yield path, False


def _read_record(path: Path) -> RunRecord:
    content = read_plain(path, _RUN_LIMIT)
    try:
        return RunRecord.model_validate_json(content)
    except ValidationError as error:
        version = _schema_version(content)
        if version is not None and version != SCHEMA_VERSION:
            raise RecordError(
                f"{path}: schema version {version!r}, this package reads {SCHEMA_VERSION}; "
                "use the package version that wrote it"
            ) from error
        raise RecordError(f"{path}: {_first_problem(error)}; run the method anew") from error


def _read_samples(path: Path) -> tuple[SampleRecord, ...]:
    *lines, last = read_plain(path, _SAMPLES_LIMIT).split(b"\n")
    samples: dict[str, SampleRecord] = {}
    for number, line in enumerate([*lines, last], start=1):
        is_last = number > len(lines)
        if is_last and not line:
            break
        try:
            sample = SampleRecord.model_validate_json(line)
        except ValidationError as error:
            if is_last:
                break  # the run was killed while it wrote this line
            raise RecordError(f"{path}: line {number}: {_first_problem(error)}") from error
        if sample.scene in samples:
            raise RecordError(f"{path}: line {number}: scene {sample.scene} has two lines")
        samples[sample.scene] = sample
    return tuple(samples.values())


def _schema_version(content: bytes) -> object:
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return record.get("schema_version") if isinstance(record, dict) else None


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
