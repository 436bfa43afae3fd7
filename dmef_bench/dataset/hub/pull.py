"""Pull a dataset from a Hub: one commit of it, every byte proved, whatever interrupts."""

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from dmef_bench.atomic_write import atomic_write, explained, fsync_folder, sha256_of_file
from dmef_bench.dataset.croissant import FileFacts
from dmef_bench.dataset.existing import refuse_foreign
from dmef_bench.dataset.hub.download import Fetcher
from dmef_bench.dataset.hub.offer import Offer
from dmef_bench.dataset.hub.pull_folder import (
    Origin,
    PullFolder,
    hold,
    read_origin,
    same_pull,
    write_origin,
)
from dmef_bench.dataset.hub.repository import Repository, parse_name
from dmef_bench.dataset.layout import WORK_FOLDER, read_plain_file, walk
from dmef_bench.dataset.manifest import MAX_MANIFEST_BYTES, read_any_manifest
from dmef_bench.dataset.records import CROISSANT_FILE, DATASET_FILE
from dmef_bench.errors import IntegrityError, MissingError, UsageError
from dmef_bench.progress import progress_bar


@dataclass(frozen=True)
class PullReport:
    """What a pull did.

    Attributes:
        output: the dataset's folder.
        origin: Hub, repository, revision that was asked for and the commit it was.
        digest: of the dataset.
        files: how many it has.
        size: their bytes.
        fetched: how many files this pull fetched; the others were there, and whole.
        received: bytes that came over the network.
    """

    output: Path
    origin: Origin
    digest: str
    files: int
    size: int
    fetched: int
    received: int


def pull(
    name: str,
    output: Path | None = None,
    *,
    workers: int = 8,
    quiet: bool = True,
    endpoint: str | None = None,
) -> PullReport:
    """Fetch the dataset `name` from a Hub, or go on with an interrupted pull.

    A branch or tag is looked up once, when the pull begins; every file comes from that commit,
    also after interruptions. Only files that croissant.json names are fetched, each to its own
    place inside `output`, and only once its SHA-256 is proved. `dataset.json`, without which no
    dataset opens, comes last.

    Args:
        name: ORG/NAME or ORG/NAME@REVISION.
        output: the dataset's folder: new, empty, or one that holds this very dataset, in part or
            whole. None: NAME in the current folder.
        workers: connections at a time.
        quiet: show no progress bar.
        endpoint: address of the Hub; None: HF_ENDPOINT, or https://huggingface.co.

    Raises:
        UsageError: no such dataset or revision, or an output folder that holds other things.
        MissingError: no network, no access, or no room on the disk.
        IntegrityError: what the Hub holds is not what its manifest says.
    """
    wanted = parse_name(name)
    repository = Repository(wanted.repository, endpoint)
    output = Path(wanted.repository.rpartition("/")[2]) if output is None else output
    refuse_foreign(output)
    if os.path.lexists(output / WORK_FOLDER):
        raise UsageError(
            f"{output}: an unfinished build is in it; choose another output folder with -o"
        )
    with hold(output) as folder:
        begun = folder.origin()
        origin = Origin(
            endpoint=repository.endpoint,
            repository=wanted.repository,
            requested=wanted.revision,
            commit=repository.resolve(wanted.revision) if begun is None else begun.commit,
        )
        if begun is not None:
            same_pull(output, begun, origin)
            origin = begun
        return _Pull(repository, origin, output, folder, workers=workers, quiet=quiet).run()


class _Pull:
    def __init__(
        self,
        repository: Repository,
        origin: Origin,
        output: Path,
        folder: PullFolder,
        *,
        workers: int,
        quiet: bool,
    ) -> None:
        self.repository, self.origin, self.output, self.folder = repository, origin, output, folder
        self.workers, self.quiet = workers, quiet
        self.fetcher = Fetcher(repository, origin.commit)

    def run(self) -> PullReport:
        offer = Offer(self.repository, self.origin.commit, self.fetcher)
        listed, present = offer.listed, dict(walk(self.output))
        self._refuse_other(offer, present)
        if self.folder.origin() is None and _all_there(listed, present):
            write_origin(self.output, self.origin)
            return self._report(listed, fetched=0)
        self.folder.begin(self.origin)
        offer.compare()
        self._room(offer, present)
        texts = offer.texts(self.folder.manifest)
        fetched = self._pictures(offer, sorted(listed.keys() - texts.keys()))
        self._finish(offer.croissant, texts)
        return self._report(listed, fetched=fetched + len(texts) + 1)

    def _refuse_other(self, offer: Offer, present: dict[str, os.stat_result]) -> None:
        """Refuse an output folder with files of another dataset in it."""
        if self.folder.origin() is None and present:
            try:
                there = read_plain_file(self.output, CROISSANT_FILE, MAX_MANIFEST_BYTES)
            except IntegrityError:
                there = b""
            if there != offer.croissant:
                origin = read_origin(self.output)
                commit = "" if origin is None else f" ({origin.repository}@{origin.commit[:12]})"
                raise UsageError(
                    f"{self.output}: holds another dataset, or another revision{commit}, than "
                    f"{offer.what}; choose another output folder with -o"
                )
        for name in sorted(present.keys() - offer.listed.keys() - {CROISSANT_FILE}):
            raise UsageError(f"{self.output}: {name} in it is no part of {offer.what}; remove it")

    def _room(self, offer: Offer, present: dict[str, os.stat_result]) -> None:
        """Refuse what the disk can't hold."""
        needed = sum(facts.size for name, facts in offer.listed.items() if name not in present)
        parts = sum(path.stat().st_size for path in self.folder.part(0).parent.iterdir())
        with explained(self.output):
            free = shutil.disk_usage(self.output).free
        if needed - parts > free:
            raise MissingError(
                f"{self.output}: {offer.what} needs {needed - parts:,} more bytes, the disk has "
                f"{free:,} left; free some space, or choose another output folder with -o"
            )

    def _pictures(self, offer: Offer, names: list[str]) -> int:
        """Fetch what is not there yet; returns how many were fetched."""
        fetched, damaged = 0, list[str]()
        with progress_bar(quiet=self.quiet) as bar, self._pool() as pool:
            task = bar.add_task("pull", total=len(names))
            work = {
                pool.submit(self._picture, number, name, offer.listed[name]): name
                for number, name in enumerate(names)
            }
            for done in as_completed(work):
                try:
                    fetched += done.result()
                except IntegrityError as error:
                    damaged.append(str(error))
                bar.advance(task)
        if damaged:
            more = f", and {len(damaged) - 1} other files" if len(damaged) > 1 else ""
            raise IntegrityError(
                f"{offer.what}: {min(damaged)}{more}. What is whole was kept; run the same command "
                "again, and if that is no help, the dataset at the Hub is damaged"
            )
        return fetched

    @contextlib.contextmanager
    def _pool(self) -> Iterator[ThreadPoolExecutor]:
        pool = ThreadPoolExecutor(self.workers)
        try:
            yield pool
        except BaseException:
            self.fetcher.stop()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def _picture(self, number: int, name: str, facts: FileFacts) -> bool:
        target = self.output / name
        with contextlib.suppress(OSError):
            status = target.lstat()
            if (
                stat.S_ISREG(status.st_mode)
                and status.st_size == facts.size
                and sha256_of_file(target) == facts.sha256
            ):
                return False
        part = self.folder.part(number)
        self.fetcher.fetch(name, facts, part)
        with explained(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            part.chmod(0o644)
            part.replace(target)
        return True

    def _finish(self, croissant: bytes, texts: dict[str, bytes]) -> None:
        """Put the texts into their places, dataset.json last."""
        with explained(self.output):
            for folder, _, _ in os.walk(self.output):
                fsync_folder(Path(folder))
        for name, content in texts.items():
            if name != DATASET_FILE:
                atomic_write(self.output / name, content)
        atomic_write(self.output / CROISSANT_FILE, croissant)
        write_origin(self.output, self.origin)
        atomic_write(self.output / DATASET_FILE, texts[DATASET_FILE])
        self.folder.remove()

    def _report(self, listed: dict[str, FileFacts], fetched: int) -> PullReport:
        croissant = (self.output / CROISSANT_FILE).stat().st_size
        return PullReport(
            output=self.output,
            origin=self.origin,
            digest=read_any_manifest(self.output).digest,
            files=len(listed) + 1,
            size=croissant + sum(facts.size for facts in listed.values()),
            fetched=fetched,
            received=self.fetcher.received,
        )


def _all_there(listed: dict[str, FileFacts], present: dict[str, os.stat_result]) -> bool:
    return present.keys() == listed.keys() | {CROISSANT_FILE} and all(
        present[name].st_size == facts.size for name, facts in listed.items()
    )
