"""Compare every byte of a dataset's folder with what the dataset says of itself."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dmef_bench.dataset.croissant import FileFacts, parse
from dmef_bench.dataset.layout import (
    PULL_FOLDER,
    WORK_FOLDER,
    belongs,
    read_plain_file,
    walk,
)
from dmef_bench.dataset.manifest import MAX_MANIFEST_BYTES, AnyManifest, read_any_manifest
from dmef_bench.dataset.records import CARD_FILE, CROISSANT_FILE
from dmef_bench.errors import IntegrityError, UsageError
from dmef_bench.progress import progress_bar
from dmef_bench.video import shown_name

Kind = Literal["missing", "extra", "altered", "link", "unreadable", "manifest", "unfinished"]
_UNFINISHED = {
    WORK_FOLDER: "a build was interrupted; run the same command again to finish it",
    PULL_FOLDER: "a pull was interrupted; run the same pull command again to finish it",
}


@dataclass(frozen=True)
class Problem:
    """Something in the folder that is not as the dataset says.

    Attributes:
        kind: missing, extra, altered, link, unreadable, manifest (it is broken, hostile or
            contradicts itself) or unfinished.
        name: of the file, relative to the dataset, printable.
        detail: one line.
    """

    kind: Kind
    name: str
    detail: str


@dataclass(frozen=True)
class VerifyReport:
    """What `verify` saw.

    Attributes:
        path: the dataset's folder.
        digest: the dataset's digest, None where its manifest can't be read.
        files: how many files lie in the folder.
        size: their bytes.
        problems: empty where every byte is as it should be.
    """

    path: Path
    digest: str | None
    files: int
    size: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is missing, extra or altered."""
        return not self.problems


def verify(path: Path, *, workers: int = 1, quiet: bool = True) -> VerifyReport:
    """Find every missing, extra or altered byte of the dataset in folder `path`.

    Args:
        path: the dataset's folder.
        workers: threads that read and hash.
        quiet: show no progress bar.

    Raises:
        UsageError: there is no such folder.
        IntegrityError: a folder in it can't be read.
    """
    if not path.is_dir():
        raise UsageError(f"{path}: no such folder")
    problems = []
    present = dict(walk(path))
    for folder, what in _UNFINISHED.items():
        if os.path.lexists(path / folder):
            problems.append(Problem("unfinished", folder, what))
    manifest, listed = None, dict[str, FileFacts]()
    try:
        manifest = read_any_manifest(path)
    except IntegrityError as error:
        problems.append(Problem("manifest", "dataset", str(error)))
    try:
        listed = parse(read_plain_file(path, CROISSANT_FILE, MAX_MANIFEST_BYTES))
    except IntegrityError as error:
        problems.append(Problem("manifest", CROISSANT_FILE, str(error)))
    else:
        problems += _unlisted(present, listed)
        if manifest is not None:
            problems += contradictions(manifest, listed)
        with (
            ThreadPoolExecutor(workers) as pool,
            progress_bar(quiet=quiet) as bar,
        ):
            task = bar.add_task("verify", total=len(listed))
            for found in pool.map(lambda name: _file(path, name, present, listed), sorted(listed)):
                problems += found
                bar.advance(task)
    return VerifyReport(
        path=path,
        digest=None if manifest is None else manifest.digest,
        files=len(present),
        size=sum(status.st_size for status in present.values()),
        problems=tuple(problems),
    )


def _problem(kind: Kind, name: str, detail: str) -> Problem:
    return Problem(kind, shown_name(Path(name)), detail)


def _unlisted(
    present: dict[str, os.stat_result], listed: dict[str, FileFacts]
) -> Iterator[Problem]:
    for name, status in present.items():
        if stat.S_ISLNK(status.st_mode):
            yield _problem("link", name, "a link; a dataset holds plain files only")
        elif name not in listed and name != CROISSANT_FILE:
            yield _problem("extra", name, f"not named in {CROISSANT_FILE}")


def contradictions(manifest: AnyManifest, listed: dict[str, FileFacts]) -> Iterator[Problem]:
    """Where the manifest and croissant.json do not say the same of the dataset's files."""
    pictures = manifest.pictures()
    for name in sorted(listed.keys() - pictures.keys() - manifest.files.keys() - {CARD_FILE}):
        what = "is in no metadata.jsonl" if belongs(name) else "no file of a dataset has this name"
        yield _problem("manifest", name, f"{CROISSANT_FILE} names it, but it {what}")
    for name, sha256 in pictures.items():
        if name not in listed:
            yield _problem("manifest", name, f"not named in {CROISSANT_FILE}")
        elif listed[name].sha256 != sha256:
            yield _problem("manifest", name, f"two hashes: metadata.jsonl and {CROISSANT_FILE}")
    for name in sorted((manifest.files.keys() | {CARD_FILE}) - listed.keys()):
        yield _problem("manifest", name, f"not named in {CROISSANT_FILE}")


def _file(
    root: Path, name: str, present: dict[str, os.stat_result], listed: dict[str, FileFacts]
) -> list[Problem]:
    """What is wrong with one listed file; the walk has proved that no link leads to it."""
    status, facts = present.get(name), listed[name]
    if status is None:
        return [_problem("missing", name, f"named in {CROISSANT_FILE}, but not there")]
    if not stat.S_ISREG(status.st_mode):
        return [] if stat.S_ISLNK(status.st_mode) else [_problem("altered", name, "not a file")]
    if status.st_size != facts.size:
        sizes = f"{status.st_size} bytes instead of {facts.size}"
        return [_problem("altered", name, sizes)]
    try:
        descriptor = os.open(root / name, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        kind: Kind = "missing" if error.errno == errno.ENOENT else "unreadable"
        return [_problem(kind, name, f"can't be read ({error.strerror})")]
    if sha256 != facts.sha256:
        return [_problem("altered", name, f"its bytes are not those in {CROISSANT_FILE}")]
    return []
