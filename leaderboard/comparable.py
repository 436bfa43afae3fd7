"""Which runs may share a table: same pictures, same metrics, same schema."""

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.errors import MixedRunsError
from leaderboard.loading import Run

_WORDS = {"schema_version": "schema version", "of_light": "metrics of linear light"}


@dataclass(frozen=True)
class Definition:
    """What must be equal for two means to be comparable.

    `lpips` is None where it was not measured, which agrees with any definition of it.
    """

    dataset: str
    digest: str
    track: str
    split: str
    psnr: str
    ssim: str
    of_light: tuple[str | None, ...]
    schema_version: int
    lpips: str | None

    @classmethod
    def of(cls, run: Run) -> "Definition":
        """The definition a run was measured under."""
        dataset, metrics = run.record.dataset, run.record.metrics
        return cls(
            dataset.name, dataset.digest, dataset.track, dataset.split,
            metrics.psnr, metrics.ssim,
            (metrics.psnr_mu, metrics.ssim_mu, metrics.psnr_pu21),
            run.record.schema_version, metrics.lpips,
        )  # fmt: skip

    def differs_from(self, other: "Definition") -> tuple[str, ...]:
        """What the two disagree on."""
        return tuple(
            _WORDS.get(name, name)
            for name, ours in vars(self).items()
            if ours != (theirs := getattr(other, name))
            and not (name == "lpips" and None in (ours, theirs))
        )


def check_comparable(runs: Sequence[Run]) -> None:
    """Refuse runs that don't measure the same thing.

    Raises:
        MixedRunsError: names the first two runs that disagree and what on.
    """
    for position, run in enumerate(runs):
        for other in runs[:position]:
            if differing := Definition.of(run).differs_from(Definition.of(other)):
                raise MixedRunsError(
                    f"{other.folder} and {run.folder} differ in {' and '.join(differing)} and "
                    "can't share a table; group the runs first"
                )


def group_runs(runs: Sequence[Run]) -> list[list[Run]]:
    """Split runs into groups that may each become a table, in the order of their definitions.

    A run without LPIPS joins the others unless they disagree on LPIPS among themselves.
    """
    by_quality: dict[Definition, dict[str | None, list[Run]]] = {}
    for run in runs:
        definition = Definition.of(run)
        key = Definition(**{**vars(definition), "lpips": None})
        by_quality.setdefault(key, {}).setdefault(definition.lpips, []).append(run)
    groups: list[list[Run]] = []
    for key in sorted(by_quality, key=lambda one: tuple(map(str, vars(one).values()))):
        by_lpips = by_quality[key]
        if len(by_lpips.keys() - {None}) <= 1:
            groups.append([run for some in by_lpips.values() for run in some])
        else:
            groups.extend(by_lpips[one] for one in sorted(by_lpips, key=str))
    return groups
