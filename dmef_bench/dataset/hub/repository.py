"""A dataset's repository at a Hub: its name, its commits and the files of one commit."""

import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple

from huggingface_hub import HfApi, RepoFile, constants, hf_hub_url
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.utils import (  # type: ignore[attr-defined]
    build_hf_headers,
    validate_repo_id,
)

from dmef_bench import __version__
from dmef_bench.dataset.hub.failures import told
from dmef_bench.errors import MissingError, UsageError

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,254}")
# The Hub takes at most a thousand names in one question.
_NAMES_AT_ONCE = 500
# Seconds after which the Hub is not waited for any longer.
_PATIENCE = 60.0


class RepositoryName(NamedTuple):
    """ORG/NAME and, behind an @, the revision that was asked for."""

    repository: str
    revision: str | None


def parse_name(text: str) -> RepositoryName:
    """Read ORG/NAME or ORG/NAME@REVISION.

    Raises:
        UsageError: it is neither.
    """
    repository, at, revision = text.partition("@")
    try:
        validate_repo_id(repository)
    except HFValidationError:
        repository = ""
    if repository.count("/") != 1:
        raise UsageError(
            f"{text!r}: give a dataset at the Hub as ORG/NAME or ORG/NAME@REVISION, letters, "
            "digits, '-', '_' and '.' only"
        )
    if at:
        check_revision(revision)
    return RepositoryName(repository, revision if at else None)


def check_revision(revision: str) -> None:
    """Refuse what can't name a branch, a tag or a commit.

    Raises:
        UsageError: it can't.
    """
    if not _REVISION.fullmatch(revision) or ".." in revision or "//" in revision:
        raise UsageError(f"revision {revision!r}: give a branch, a tag or a commit")


@dataclass(frozen=True)
class RemoteFile:
    """A file of one commit.

    Attributes:
        size: in bytes.
        sha256: where the Hub knows it (files in large file storage); None for small texts.
        blob: the file's object id in git.
    """

    size: int
    sha256: str | None
    blob: str


@dataclass(frozen=True)
class State:
    """A repository as it is now.

    Attributes:
        private: whether only its owners see it; None where the Hub does not say.
        commit: the newest one of the branch that was asked for; None where there is none yet.
    """

    private: bool | None
    commit: str | None


class Repository:
    """One dataset repository; every call may raise what `told` raises.

    Attributes:
        name: ORG/NAME.
        endpoint: address of the Hub, without a slash at its end.
        api: huggingface-hub's own client.
    """

    def __init__(self, name: str, endpoint: str | None = None) -> None:
        self.name = name
        self.endpoint = (endpoint or constants.ENDPOINT).rstrip("/")
        self.api = HfApi(
            endpoint=self.endpoint, library_name="dmef-bench", library_version=__version__
        )

    @property
    def page(self) -> str:
        """Address of the dataset's page."""
        return f"{self.endpoint}/datasets/{self.name}"

    def asking(self, revision: str | None = None) -> AbstractContextManager[None]:
        """Inside it, failures of huggingface-hub are told in one sentence."""
        return told(self.name if revision is None else f"{self.name}@{revision}", self.endpoint)

    def resolve(self, revision: str | None) -> str:
        """The commit that a branch, a tag or a commit (None: the main branch) stands for now."""
        with self.asking(revision):
            info = self.api.dataset_info(self.name, revision=revision, timeout=_PATIENCE)
        return self._commit(info.sha)

    def state(self, branch: str | None) -> State | None:
        """How the repository is now; None where there is none."""
        with self.asking(branch):
            try:
                main = self.api.dataset_info(self.name, timeout=_PATIENCE)
            except RepositoryNotFoundError as error:
                if error.response.status_code == 404:
                    return None
                raise
            if branch is None:
                return State(main.private, self._commit(main.sha))
            try:
                there = self.api.dataset_info(self.name, revision=branch, timeout=_PATIENCE)
            except RevisionNotFoundError:
                return State(main.private, None)
        return State(main.private, self._commit(there.sha))

    def _commit(self, sha: str | None) -> str:
        if sha is None or not _COMMIT.fullmatch(sha):
            raise MissingError(
                f"{self.endpoint}: answered what no Hub answers; check HF_ENDPOINT and the network"
            )
        return sha

    def files(self, commit: str) -> dict[str, RemoteFile]:
        """Every file of a commit by its name."""
        with self.asking(commit):
            return _by_name(
                self.api.list_repo_tree(
                    self.name, recursive=True, revision=commit, repo_type="dataset"
                )
            )

    def files_named(self, names: Iterable[str], commit: str) -> dict[str, RemoteFile]:
        """Those of these files that a commit has; nothing is asked about others."""
        wanted, found = list(names), dict[str, RemoteFile]()
        with self.asking(commit):
            for first in range(0, len(wanted), _NAMES_AT_ONCE):
                some = wanted[first : first + _NAMES_AT_ONCE]
                found |= _by_name(
                    self.api.get_paths_info(self.name, some, revision=commit, repo_type="dataset")
                )
        return found

    def address(self, name: str, commit: str) -> str:
        """Where a file of a commit is fetched from."""
        return hf_hub_url(
            self.name, name, repo_type="dataset", revision=commit, endpoint=self.endpoint
        )

    def headers(self) -> dict[str, str]:
        """Headers of a request for a file, with the user's token if there is one."""
        headers: dict[str, str] = build_hf_headers(
            library_name="dmef-bench", library_version=__version__
        )
        return headers | {"Accept-Encoding": "identity"}


def _by_name(entries: Iterable[object]) -> dict[str, RemoteFile]:
    return {
        entry.path: RemoteFile(
            size=entry.lfs.size if entry.lfs else entry.size,
            sha256=entry.lfs.sha256 if entry.lfs else None,
            blob=entry.blob_id,
        )
        for entry in entries
        if isinstance(entry, RepoFile)
    }
