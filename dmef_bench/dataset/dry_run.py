"""Say what a build would do, writing nothing."""

from dataclasses import dataclass
from pathlib import Path

from dmef_bench.dataset.assembly import waits_for_completion
from dmef_bench.dataset.existing import dataset_to_extend, refuse_foreign
from dmef_bench.dataset.records import RejectionRecord
from dmef_bench.dataset.settings import BuildSettings
from dmef_bench.dataset.survey import all_rejections, read_videos, sort_videos
from dmef_bench.errors import UsageError
from dmef_bench.video import Rejected, Rules, accept, probe
from dmef_bench.work import Broken, each_in_a_process


@dataclass(frozen=True)
class BuildPlan:
    """What a build would do with the videos of a folder.

    Attributes:
        kept: names of videos whose scenes are in the dataset already.
        taken: names of videos whose frames would be chosen and made scenes of. A few of them may
            still be turned down then, as when nothing moves in them or when they show what another
            video shows.
        rejected: videos that are turned down, with the reasons.
        failed: name -> reason of videos that could not be looked at.
    """

    kept: tuple[str, ...]
    taken: tuple[str, ...]
    rejected: tuple[RejectionRecord, ...]
    failed: dict[str, str]


def plan_build(
    videos: Path,
    output: Path,
    settings: BuildSettings,
    *,
    workers: int = 1,
    limit: int | None = None,
    overwrite: bool = False,
    quiet: bool = True,
) -> BuildPlan:
    """What `build_dataset` with the same arguments would do; probes the videos, writes nothing.

    Raises:
        UsageError: as `build_dataset` would.
        IntegrityError: the dataset to extend is damaged, or its build was interrupted.
    """
    recorded = settings.recorded()
    refuse_foreign(output)
    if waits_for_completion(output):
        raise UsageError(
            f"{output}: its build was interrupted just before its end; finish it first, by the "
            "same command without --dry-run"
        )
    found = read_videos(videos, limit=limit, workers=workers, quiet=quiet)
    base = dataset_to_extend(output, recorded, overwrite=overwrite, workers=workers)
    survey = sort_videos(found, base)
    inputs = {
        sha256: (video.path, video.name, sha256, settings) for sha256, video in survey.new.items()
    }
    rejected, failed, taken = list(survey.rejected), {}, []
    for outcome in each_in_a_process(_look, inputs, workers=workers):
        name = survey.new[outcome.key].name
        if isinstance(outcome, Broken):
            failed[name] = outcome.reason
        elif outcome.value is None:
            taken.append(name)
        else:
            rejected.append(outcome.value)
    return BuildPlan(
        kept=tuple(video.name for video in survey.known),
        taken=tuple(sorted(taken)),
        rejected=all_rejections(rejected, found, base),
        failed=failed,
    )


def _look(video: Path, name: str, sha256: str, settings: BuildSettings) -> RejectionRecord | None:
    try:
        accept(probe(video), Rules(min_height=settings.min_height, hdr=settings.hdr))
    except Rejected as rejected:
        return RejectionRecord(name=name, sha256=sha256, code=rejected.code, reason=rejected.reason)
    return None
