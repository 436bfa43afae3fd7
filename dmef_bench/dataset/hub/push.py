"""Push a dataset to a Hub: proved whole before, complete there afterwards, nothing sent twice."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete

from dmef_bench.dataset.croissant import FileFacts, parse
from dmef_bench.dataset.hub.repository import (
    RemoteFile,
    Repository,
    State,
    check_revision,
    parse_name,
)
from dmef_bench.dataset.imported_records import ImportedDatasetRecord
from dmef_bench.dataset.layout import belongs, read_plain_file
from dmef_bench.dataset.manifest import MAX_MANIFEST_BYTES, AnyManifest, read_any_manifest
from dmef_bench.dataset.records import CARD_FILE, CROISSANT_FILE
from dmef_bench.dataset.verify import verify
from dmef_bench.errors import IntegrityError, UsageError
from dmef_bench.progress import progress_bar

# Files whose bytes are sent between two steps of the progress bar.
_FILES_AT_ONCE = 32
# The Hub answers a commit within a minute; its own tools put at most so many files into one.
_FILES_IN_A_COMMIT = 1000


@dataclass(frozen=True)
class PushReport:
    """What a push did, or would do.

    Attributes:
        repository: ORG/NAME.
        page: address of the dataset's page.
        commit: the commit that holds the dataset; None in a dry run that would make one.
        digest: of the dataset.
        files: how many it has.
        added: names of files that were new or other at the Hub.
        size: bytes of those.
        removed: names of files of an earlier state of the dataset that were taken out.
        created: whether the repository was not there before.
    """

    repository: str
    page: str
    commit: str | None
    digest: str
    files: int
    added: tuple[str, ...]
    size: int
    removed: tuple[str, ...]
    created: bool


def push(
    name: str,
    dataset: Path,
    *,
    private: bool = False,
    others_pictures: bool = False,
    revision: str | None = None,
    dry_run: bool = False,
    workers: int = 1,
    quiet: bool = True,
    endpoint: str | None = None,
) -> PushReport:
    """Share the dataset in a folder at a Hub, or bring what is there up to date.

    Every byte is verified first. What the Hub holds already is not sent again, also after an
    interruption. The files of up to a thousand pictures arrive in one commit, so that there is no
    commit with half a dataset; of larger ones the manifest arrives in the last commit.

    Args:
        name: ORG/NAME.
        dataset: the dataset's folder.
        private: only the owners may see the repository.
        others_pictures: send an imported dataset too, whose authors consent.
        revision: branch to push to, made where needed; None: the main branch.
        dry_run: look at both sides, and change nothing.
        workers: threads that verify.
        quiet: show no progress bar.
        endpoint: address of the Hub; None: HF_ENDPOINT, or https://huggingface.co.

    Raises:
        UsageError: no ORG/NAME, --private for a repository that everybody can see, or an imported
            dataset without `others_pictures`.
        MissingError: no network, or no login that may write there.
        IntegrityError: the dataset is damaged, or the Hub does not hold what was sent.
    """
    wanted = parse_name(name)
    if wanted.revision is not None:
        raise UsageError(f"{name!r}: name the branch to push to with --revision")
    if revision is not None:
        check_revision(revision)
    repository = Repository(wanted.repository, endpoint)
    manifest, files = _proved(dataset, workers=workers, quiet=quiet)
    if isinstance(manifest.record, ImportedDatasetRecord) and not others_pictures:
        raise UsageError(
            f"{dataset}: was imported, its pictures belong to the authors of "
            f"{manifest.record.name}; add --others-pictures if they let you share them"
        )
    state = repository.state(revision)
    if private and state is not None and state.private is False:
        raise UsageError(
            f"{wanted.repository}: everybody can see this repository; make it private in its "
            f"settings at {repository.page}, or push to another one"
        )
    base = None if state is None else state.commit
    if state is not None and base is None:  # the branch will be made from the main one
        base = repository.resolve(None)
    remote = {} if base is None else repository.files(base)
    added = tuple(
        name for name, facts in sorted(files.items()) if not _same(dataset, name, facts, remote)
    )
    removed = tuple(sorted(name for name in remote if belongs(name) and name not in files))
    commit = None if added or removed or state is None else state.commit
    if commit is None and not dry_run:
        commit = _send(
            repository,
            dataset,
            f"{manifest.record.name}, digest {manifest.digest[:8]}",
            _groups(added, frozenset(manifest.files) | {CARD_FILE, CROISSANT_FILE}),
            removed,
            _ready(repository, state, revision, private),
            revision,
            quiet=quiet,
        )
        _check(repository, dataset, commit, files)
    return PushReport(
        repository=wanted.repository,
        page=repository.page,
        commit=commit,
        digest=manifest.digest,
        files=len(files),
        added=added,
        size=sum(files[name].size for name in added),
        removed=removed,
        created=state is None,
    )


def _proved(
    dataset: Path, *, workers: int, quiet: bool
) -> tuple[AnyManifest, dict[str, FileFacts]]:
    """The manifest and all files of a dataset in which no byte is wrong."""
    report = verify(dataset, workers=workers, quiet=quiet)
    if not report.ok:
        first = report.problems[0]
        more = f" and {len(report.problems) - 1} more" if len(report.problems) > 1 else ""
        raise IntegrityError(
            f"{dataset}: damaged: {first.name}: {first.kind}, {first.detail}{more}; nothing was "
            "pushed (`dmef-bench verify` shows all)"
        )
    content = read_plain_file(dataset, CROISSANT_FILE, MAX_MANIFEST_BYTES)
    own = FileFacts(hashlib.sha256(content).hexdigest(), len(content))
    return read_any_manifest(dataset), parse(content) | {CROISSANT_FILE: own}


def _same(dataset: Path, name: str, facts: FileFacts, remote: dict[str, RemoteFile]) -> bool:
    there = remote.get(name)
    if there is None or there.size != facts.size:
        return False
    if there.sha256 is not None:
        return there.sha256 == facts.sha256
    content = (dataset / name).read_bytes()
    # The id git gives these bytes; no secret hangs on it.
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
    return there.blob == blob.hexdigest()


def _check(repository: Repository, dataset: Path, commit: str, files: dict[str, FileFacts]) -> None:
    remote = repository.files(commit)
    for name, facts in files.items():
        if not _same(dataset, name, facts, remote):
            raise IntegrityError(
                f"{repository.name}@{commit[:12]}: {name} is not there as it was sent; run the "
                "same command again"
            )


def _ready(repository: Repository, state: State | None, branch: str | None, private: bool) -> str:
    """Make the repository and the branch where they are missing; returns the newest commit."""
    api, name = repository.api, repository.name
    if state is None:
        with repository.asking():
            api.create_repo(name, repo_type="dataset", private=private)
    elif state.commit is not None:
        return state.commit
    if branch is not None:
        with repository.asking(branch):
            api.create_branch(name, branch=branch, repo_type="dataset", exist_ok=True)
    return repository.resolve(branch)


def _send(
    repository: Repository,
    dataset: Path,
    message: str,
    groups: list[list[str]],
    removed: tuple[str, ...],
    head: str,
    branch: str | None,
    *,
    quiet: bool,
) -> str:
    """Send these files, a commit a group, and take `removed` out with the last one."""
    api, name = repository.api, repository.name
    with progress_bar(quiet=quiet) as bar, repository.asking(branch):
        task = bar.add_task("push", total=sum(map(len, groups)))
        for group in groups:
            additions = [CommitOperationAdd(file, dataset / file) for file in group]
            for first in range(0, len(additions), _FILES_AT_ONCE):
                some = additions[first : first + _FILES_AT_ONCE]
                api.preupload_lfs_files(name, some, repo_type="dataset", revision=branch)
                bar.advance(task, len(some))
            last = group is groups[-1]
            commit = api.create_commit(
                name,
                [*additions, *(CommitOperationDelete(file) for file in removed if last)],
                commit_message=message,
                repo_type="dataset",
                revision=branch,
                parent_commit=head,
            )
            head = str(commit.oid)
    return head


def _groups(names: tuple[str, ...], texts: frozenset[str]) -> list[list[str]]:
    """The files of each commit: pictures first, what names them in the last one."""
    pictures = [name for name in names if name not in texts]
    groups = [
        pictures[first : first + _FILES_IN_A_COMMIT]
        for first in range(0, len(pictures), _FILES_IN_A_COMMIT)
    ] or [[]]
    groups[-1] += [name for name in names if name in texts]
    return groups
