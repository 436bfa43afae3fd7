"""A source divided into a few samples whose ground truth may be used and all the others."""

from typing import Any, Final, Protocol, runtime_checkable

from dmef_bench.errors import UsageError
from dmef_bench.training.both_tracks import BothTracks
from dmef_bench.training.mixture import Mixture
from dmef_bench.training.samples import Sample, SampleKey, Source, known_response

# No run has as many steps, so that labelled samples are none of the unlabelled.
_FIRST_LABELLED: Final = 2**31


@runtime_checkable
class _Divisible(Protocol):
    def divide(self, count: int) -> tuple[Source, Source]: ...


class FewShotSource:
    """Even places of a batch are labelled, odd ones are not; all are unlabelled without labels.

    Of a dataset the first scenes are labelled and the others are not. Of scenes that are made on
    the fly as many samples are drawn once and used over and over.

    Args:
        source: of all samples.
        labelled: how many scenes (of a dataset) or samples have a ground truth, 0 or more.

    Raises:
        UsageError: no scene is left without a label.
    """

    def __init__(self, source: Source, labelled: int) -> None:
        self.evs, self.track, self.response = source.evs, source.track, known_response(source)
        self.labelled = labelled
        self._whole = source
        self._few: Source | None = None
        self._rest = source
        if labelled:
            divided = _divided(source, labelled)
            self._few, self._rest = divided or (_Drawn(source, labelled), source)

    def sample(self, key: SampleKey) -> Sample:
        """The sample of that key; its place in the batch says whether it is labelled."""
        part = self._rest if self._few is None or key.slot % 2 else self._few
        return part.sample(key)

    def description(self) -> dict[str, Any]:
        """What the data is."""
        whole = self._whole.description()
        return {"kind": "few-shot", "labelled": self.labelled, "source": whole}

    def check_batch(self, batch: int) -> None:
        """Refuse batches that don't hold as many labelled samples as unlabelled ones.

        Raises:
            UsageError: an odd number, with labels.
        """
        if self.labelled and batch % 2:
            raise UsageError(
                f"--batch: one half of a process's samples is labelled, the other is not, so "
                f"{batch} for each process is an odd number; give one that leaves each an even one"
            )


def _divided(source: Source, count: int) -> tuple[Source, Source] | None:
    """The first scenes and the others; None where scenes are made on the fly."""
    if isinstance(source, _Divisible):
        return source.divide(count)
    if isinstance(source, BothTracks):
        paper, camera = (_divided(part, count) for part in source.parts)
        if paper is None or camera is None:
            return None
        return BothTracks(paper[0], camera[0]), BothTracks(paper[1], camera[1])
    if isinstance(source, Mixture) and any(_divided(part, count) for part in source.parts):
        raise UsageError("--labelled counts the scenes of a dataset; leave --photos out")
    return None


class _Drawn:
    """A fixed number of samples of a source."""

    def __init__(self, source: Source, count: int) -> None:
        self.evs, self.track = source.evs, source.track
        self._source, self._count = source, count

    def sample(self, key: SampleKey) -> Sample:
        number = int(key.generator().integers(self._count))
        return self._source.sample(SampleKey(key.seed, _FIRST_LABELLED + number, 0))

    def description(self) -> dict[str, Any]:
        return {"kind": "drawn", "count": self._count, "source": self._source.description()}
