"""Sort the videos of a folder by what the build has to do with them."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from dmef_bench.atomic_write import sha256_of_file
from dmef_bench.dataset.manifest import Manifest
from dmef_bench.dataset.records import RejectionRecord
from dmef_bench.errors import UsageError
from dmef_bench.progress import progress_bar
from dmef_bench.video import find_videos, shown_name

# What another day may change although the file's bytes stay the same.
_LOOKED_AT_AGAIN = {"duplicate", "unreadable", "time-limit"}


def may_change(code: str) -> bool:
    """Whether a video turned down with this code is worth another look."""
    return code in _LOOKED_AT_AGAIN


@dataclass(frozen=True)
class Video:
    """A video with readable bytes.

    Attributes:
        path: where it is.
        name: what it is called in records and on screen.
        sha256: of its bytes.
    """

    path: Path
    name: str
    sha256: str


@dataclass
class Survey:
    """The videos of a folder, sorted.

    Attributes:
        known: videos the dataset holds scenes of already.
        new: videos to look at, by digest; one of each content.
        rejected: videos that are turned down without a closer look, and scenes of known ones that
            were turned down before.
    """

    known: list[Video] = field(default_factory=list)
    new: dict[str, Video] = field(default_factory=dict)
    rejected: list[RejectionRecord] = field(default_factory=list)


def read_videos(
    folder: Path, *, limit: int | None, workers: int, quiet: bool
) -> list[Video | RejectionRecord]:
    """Find the videos of `folder` and the digest of each, or why its bytes can't be read.

    Raises:
        UsageError: there is no folder, or no video in it.
    """
    paths = find_videos(folder)[:limit]
    if not paths:
        raise UsageError(
            f"{folder}: no videos here; put .mp4, .mov, .mkv or other video files into it"
        )
    with ThreadPoolExecutor(workers) as pool, progress_bar(quiet=quiet) as bar:
        videos = []
        task = bar.add_task("read videos", total=len(paths))
        for video in pool.map(lambda path: _read(path, folder), paths):
            videos.append(video)
            bar.advance(task)
    return videos


def _read(path: Path, folder: Path) -> Video | RejectionRecord:
    name = shown_name(path.relative_to(folder))
    try:
        return Video(path, name, sha256_of_file(path))
    except OSError as error:
        reason = f"the file can't be read ({error.strerror})"
        return RejectionRecord(name=name, sha256=None, code="unreadable", reason=reason)


def sort_videos(videos: Iterable[Video | RejectionRecord], base: Manifest | None) -> Survey:
    """Tell known, new, duplicate and already rejected videos apart.

    Args:
        videos: from `read_videos`, in order: of equal files the first one counts, or the one a
            scene of `base` was made from.
        base: the manifest of the dataset that is extended.
    """
    scenes = [] if base is None else [scene for split in base.scenes.values() for scene in split]
    made_from = {scene.source.sha256: scene.source.name for scene in scenes}
    turned_down = _reusable(base)
    survey, first = Survey(), dict[str, str]()
    found = [video for video in videos if isinstance(video, Video)]
    for video in found:
        if made_from.get(video.sha256) == video.name or video.sha256 not in first:
            first[video.sha256] = video.name
    survey.rejected += [video for video in videos if isinstance(video, RejectionRecord)]
    for video in found:
        if first[video.sha256] != video.name:
            survey.rejected.append(_duplicate(video, first[video.sha256]))
        else:
            before = turned_down.get(video.sha256, [])
            survey.rejected += [each.model_copy(update={"name": video.name}) for each in before]
            if video.sha256 in made_from:
                survey.known.append(video)
            elif not before:
                survey.new[video.sha256] = video
    return survey


def all_rejections(
    now: Iterable[RejectionRecord],
    seen: Iterable[Video | RejectionRecord],
    base: Manifest | None,
) -> tuple[RejectionRecord, ...]:
    """Rejections of now, and those of before whose videos were not seen now; in order of name."""
    rejected = list(now)
    if base is not None:
        videos = list(seen)
        names = {video.name for video in videos}
        digests = {video.sha256 for video in videos} - {None}
        rejected += [
            before
            for before in base.record.rejected
            if before.name not in names and before.sha256 not in digests
        ]
    return tuple(sorted(rejected, key=lambda rejection: (rejection.name, rejection.sha256 or "")))


def _reusable(base: Manifest | None) -> Mapping[str, list[RejectionRecord]]:
    """By the video's digest; several where scenes of one video were turned down."""
    found: dict[str, list[RejectionRecord]] = {}
    for rejection in () if base is None else base.record.rejected:
        if rejection.sha256 is not None and not may_change(rejection.code):
            found.setdefault(rejection.sha256, []).append(rejection)
    return found


def _duplicate(video: Video, other: str) -> RejectionRecord:
    return RejectionRecord(
        name=video.name,
        sha256=video.sha256,
        code="duplicate",
        reason=f"the same bytes as {other}",
    )
