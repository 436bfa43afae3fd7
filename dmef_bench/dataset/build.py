"""Build a dataset from a folder of videos, or extend it, whatever interrupts."""

import contextlib
import os
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from dmef_bench.dataset import assembly
from dmef_bench.dataset.existing import dataset_to_extend, refuse_foreign, refuse_other_settings
from dmef_bench.dataset.final_files import compose
from dmef_bench.dataset.manifest import Manifest
from dmef_bench.dataset.markers import MadeVideo, TurnedDown
from dmef_bench.dataset.near_duplicates import refuse_near_duplicates
from dmef_bench.dataset.records import DatasetRecord, RejectionRecord
from dmef_bench.dataset.settings import BuildSettings
from dmef_bench.dataset.survey import (
    Video,
    all_rejections,
    may_change,
    read_videos,
    sort_videos,
)
from dmef_bench.dataset.work_folder import WorkFolder, hold
from dmef_bench.errors import UsageError
from dmef_bench.progress import progress_bar
from dmef_bench.video import Room
from dmef_bench.video.ffmpeg import MOST_THREADS
from dmef_bench.work import Broken, Cluster, Done, Inputs, each_in_a_process, prepare

# What processes that make scenes import before they start.
_MAKES_SCENES = "dmef_bench.dataset.make_scene"


class NoUsableVideosError(UsageError):
    """Every video was turned down; nothing was built.

    Attributes:
        rejected: the videos with the reasons.
    """

    def __init__(self, message: str, rejected: tuple[RejectionRecord, ...]) -> None:
        super().__init__(message)
        self.rejected = rejected


@dataclass(frozen=True)
class BuildReport:
    """What a build did.

    Attributes:
        output: the dataset's folder.
        digest: of the dataset as it is now; None where there is none yet.
        scenes: split -> number of scenes now in the dataset.
        added: how many of them are new.
        rejected: all videos turned down, now or before.
        failed: name -> reason of videos that could neither be used nor turned down. Where there
            are any, the dataset is as it was before; what was finished is kept for the next go.
    """

    output: Path
    digest: str | None
    scenes: dict[str, int]
    added: int
    rejected: tuple[RejectionRecord, ...]
    failed: dict[str, str]


@dataclass
class _Outcomes:
    made: dict[str, MadeVideo] = field(default_factory=dict)
    rejected: list[RejectionRecord] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def build_dataset(
    videos: Path,
    output: Path,
    settings: BuildSettings,
    *,
    workers: int = 1,
    cluster: Cluster | None = None,
    limit: int | None = None,
    overwrite: bool = False,
    quiet: bool = True,
) -> BuildReport:
    """Make the dataset of `videos` in `output`, go on with an interrupted build, or extend it.

    Same videos and settings give the same bytes with any number of workers and after any number
    of interruptions. Worker processes import the caller's main module: in a script, call this
    under `if __name__ == "__main__":`.

    Args:
        videos: folder that is searched for videos.
        output: the dataset's folder: new, empty, or a dataset built with the same settings, which
            is extended by the videos it has no scene of; its old scenes stay as they are.
        settings: what else decides the result.
        workers: processes at work.
        cluster: makes the scenes instead of processes of this machine; it gives the same bytes.
        limit: take only the first so many videos.
        overwrite: build anew where `output` was built with other settings or is damaged.
        quiet: show no progress bar.

    Raises:
        UsageError: no videos, or an output folder that holds other things or other settings.
        NoUsableVideosError: every video was turned down.
        MissingError: ffmpeg is missing, the disk is full or read-only, or the cluster is not fit
            or gone.
        IntegrityError: the dataset to extend is damaged.
    """
    recorded = settings.recorded()
    refuse_foreign(output)
    found = read_videos(videos, limit=limit, workers=workers, quiet=quiet)
    with hold(output) as work:
        if assembly.complete(output):
            # What was interrupted is whole now; if it was this build, don't overwrite it again.
            overwrite = overwrite and work.settings() != recorded
        base = dataset_to_extend(output, recorded, overwrite=overwrite, workers=workers)
        _begin(work, recorded, overwrite=overwrite)
        survey = sort_videos(found, base)
        outcomes = _make_scenes(
            work, survey.new, settings, workers=workers, cluster=cluster, quiet=quiet
        )
        made, alike = outcomes.made, list[RejectionRecord]()
        if settings.near_duplicates == "refuse" and not outcomes.failed:
            names = {sha256: video.name for sha256, video in survey.new.items()}
            made, alike = refuse_near_duplicates(made, names, base)
        rejected = all_rejections([*survey.rejected, *outcomes.rejected, *alike], found, base)
        if outcomes.failed:
            return _report(output, base, 0, rejected, outcomes.failed)
        if not made and base is None:
            assembly.remove_work(output)
            with contextlib.suppress(OSError):  # the dataset to overwrite is still in there
                output.rmdir()
            raise NoUsableVideosError(
                f"{videos}: none of the {len(found)} videos can be used", rejected
            )
        record = recorded.model_copy(update={"rejected": rejected})
        manifest, plan = compose(output, work, base, record, made, survey.new)
        if plan.moves:
            assembly.carry_out(output, plan)
        assembly.remove_work(output)
        added = sum(len(video.scenes) for video in made.values())
        return _report(output, manifest, added, rejected, {})


def _begin(work: WorkFolder, recorded: DatasetRecord, *, overwrite: bool) -> None:
    there = work.settings()
    if there is None or (overwrite and there != recorded):
        work.begin(recorded)
    else:
        refuse_other_settings(work.path, there, recorded)


def _make_scenes(
    work: WorkFolder,
    videos: dict[str, Video],
    settings: BuildSettings,
    *,
    workers: int,
    cluster: Cluster | None,
    quiet: bool,
) -> _Outcomes:
    """Make what no finished marker vouches for; every video ends up in one of the outcomes."""
    outcomes, inputs = _Outcomes(), {}
    with progress_bar(quiet=quiet) as bar:
        task = bar.add_task("make scenes", total=len(videos))

        def note(sha256: str, marker: MadeVideo | TurnedDown) -> None:
            if isinstance(marker, MadeVideo):
                outcomes.made[sha256] = marker
            else:
                name = videos[sha256].name
                outcomes.rejected.append(marker.rejection.model_copy(update={"name": name}))
            bar.advance(task)

        with ThreadPoolExecutor(workers) as pool:
            markers = list(pool.map(work.finished, videos))
        for (sha256, video), marker in zip(videos.items(), markers, strict=True):
            if marker is None or (
                isinstance(marker, TurnedDown) and may_change(marker.rejection.code)
            ):
                folder = work.scene_folder(sha256).absolute()
                inputs[sha256] = (video.path.absolute(), video.name, sha256, folder, settings)
            else:
                note(sha256, marker)
        with contextlib.closing(_made(inputs, work, workers, cluster)) as done:
            for outcome in done:
                if isinstance(outcome, Broken):
                    outcomes.failed[videos[outcome.key].name] = outcome.reason
                    bar.advance(task)
                else:
                    note(outcome.key, outcome.value)
    return outcomes


def _made(
    inputs: Inputs, work: WorkFolder, workers: int, cluster: Cluster | None
) -> Generator[Done[MadeVideo | TurnedDown] | Broken]:
    """Make the scenes where they shall be made."""
    if cluster is None:
        # More threads than cores decode further ahead than is needed and wait for each other.
        cores, busy = len(os.sched_getaffinity(0)), max(1, min(workers, len(inputs)))
        threads = min(max(1, cores // busy), MOST_THREADS)
        local = {key: (*arguments, threads) for key, arguments in inputs.items()}
        prepare(_MAKES_SCENES)
        return each_in_a_process(_make, local, workers=workers, lend=Room)
    # A worker that does not see a video would turn it down as unreadable.
    videos = {key: arguments[0] for key, arguments in inputs.items()}
    return cluster.each(_make, inputs, shared=work.path.absolute(), sees=videos, apart=True)


def _make(
    video: Path,
    name: str,
    sha256: str,
    folder: Path,
    settings: BuildSettings,
    threads: int | None = None,
    room: Room | None = None,
) -> MadeVideo | TurnedDown:
    """`make_scenes`, whose imports only workers need."""
    from dmef_bench.dataset.make_scene import make_scenes

    return make_scenes(video, name, sha256, folder, settings, threads, room)


def _report(
    output: Path,
    manifest: Manifest | None,
    added: int,
    rejected: tuple[RejectionRecord, ...],
    failed: dict[str, str],
) -> BuildReport:
    return BuildReport(
        output=output,
        digest=None if manifest is None else manifest.digest,
        scenes={} if manifest is None else manifest.record.scenes,
        added=added,
        rejected=rejected,
        failed=dict(sorted(failed.items())),
    )
