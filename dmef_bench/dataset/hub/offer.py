"""What a commit at a Hub offers, proved to be one dataset before a picture of it is fetched."""

import hashlib
from pathlib import Path

from dmef_bench.atomic_write import atomic_write
from dmef_bench.dataset.croissant import FileFacts, parse
from dmef_bench.dataset.hub.download import Fetcher
from dmef_bench.dataset.hub.repository import Repository
from dmef_bench.dataset.layout import belongs
from dmef_bench.dataset.manifest import MAX_MANIFEST_BYTES, read_any_manifest
from dmef_bench.dataset.records import CARD_FILE, CROISSANT_FILE, DATASET_FILE, METADATA_FILE
from dmef_bench.dataset.verify import contradictions
from dmef_bench.errors import IntegrityError, UsageError
from dmef_bench.video import shown_name


class Offer:
    """A commit's croissant.json and what it names.

    Attributes:
        what: ORG/NAME@COMMIT, shortened, as messages name it.
        croissant: the bytes of croissant.json.
        listed: every other file of the dataset by its name, each one that a dataset may hold.

    Raises:
        UsageError: there is no croissant.json in the commit.
        IntegrityError: it is broken, gigantic, or names a file that belongs into no dataset.
    """

    def __init__(self, repository: Repository, commit: str, fetcher: Fetcher) -> None:
        self.what = f"{repository.name}@{commit[:12]}"
        self._repository, self._commit, self._fetcher = repository, commit, fetcher
        self.croissant = self._read_croissant()
        self.listed = self._listed()

    def _read_croissant(self) -> bytes:
        found = self._repository.files_named([CROISSANT_FILE], self._commit)
        if CROISSANT_FILE not in found:
            raise UsageError(
                f"{self.what}: holds no {CROISSANT_FILE}; it is no dataset that `dmef-bench push` "
                "shared, or its push is unfinished"
            )
        size = found[CROISSANT_FILE].size
        if not 0 <= size <= MAX_MANIFEST_BYTES:
            raise IntegrityError(
                f"{self.what}: its {CROISSANT_FILE} has {size:,} bytes, more than any dataset's; "
                "it was not fetched"
            )
        return self._fetcher.read(CROISSANT_FILE, size)

    def _listed(self) -> dict[str, FileFacts]:
        try:
            listed = parse(self.croissant)
        except IntegrityError as error:
            raise IntegrityError(f"{self.what}: {error}") from error
        for name in listed:
            if not belongs(name):
                raise IntegrityError(
                    f"{self.what}: {CROISSANT_FILE} names {shown_name(Path(name))}, and no file of "
                    "a dataset has such a name; nothing was fetched"
                )
        return listed

    def compare(self) -> None:
        """Prove that the commit holds each file with its size and, where the Hub knows it, SHA-256.

        Raises:
            IntegrityError: it does not.
        """
        remote = self._repository.files_named(self.listed, self._commit)
        for name, facts in self.listed.items():
            there = remote.get(name)
            if there is None:
                wrong = "is not there"
            elif there.size != facts.size:
                wrong = f"has {there.size:,} bytes instead of {facts.size:,}"
            elif there.sha256 not in (None, facts.sha256):
                wrong = "has another SHA-256"
            else:
                continue
            raise IntegrityError(
                f"{self.what}: damaged at the Hub, {name} {wrong}; its owner must push it again"
            )

    def texts(self, folder: Path) -> dict[str, bytes]:
        """The manifest and the card, proved to say the same as croissant.json.

        Args:
            folder: in which they are laid down.

        Returns:
            Name -> bytes.

        Raises:
            IntegrityError: they don't, or contradict each other.
        """
        texts = {}
        for name in sorted(self.listed):
            facts = self.listed[name]
            if name not in (CARD_FILE, DATASET_FILE) and not name.endswith(METADATA_FILE):
                continue
            if facts.size > MAX_MANIFEST_BYTES:
                raise IntegrityError(f"{self.what}: {name} is larger than any dataset's")
            texts[name] = self._fetcher.read(name, facts.size)
            if hashlib.sha256(texts[name]).hexdigest() != facts.sha256:
                raise IntegrityError(
                    f"{self.what}: the Hub's bytes of {name} are not those {CROISSANT_FILE} names"
                )
            atomic_write(folder / name, texts[name])
        try:
            manifest = read_any_manifest(folder)
        except IntegrityError as error:
            inside = str(error).replace(f"{folder}/", "")
            raise IntegrityError(f"{self.what}: {inside}") from error
        for problem in contradictions(manifest, self.listed):
            raise IntegrityError(f"{self.what}: {problem.name}: {problem.detail}")
        return texts
