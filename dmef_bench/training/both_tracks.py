"""Training samples of both tracks in turn, for one set of weights that serves either."""

from typing import Any, Final

from dmef_bench.errors import UsageError
from dmef_bench.training.samples import Sample, SampleKey, Source, known_response

# Neighbours in a batch stay on one track, so that a `Mixture` inside serves each of its sources
# on either.
_IN_A_ROW: Final = 2


class BothTracks:
    """Two places (step + slot) in a row are of the paper track, the next two of the camera track.

    Args:
        paper: serves the first.
        camera: the same scenes exposed by cameras.

    Attributes:
        parts: both.

    Raises:
        UsageError: their exposure values differ.
    """

    track: Final = "both"

    def __init__(self, paper: Source, camera: Source) -> None:
        if paper.evs != camera.evs:
            raise UsageError(
                f"exposures of {paper.evs} EV and of {camera.evs} EV can't be mixed in one "
                "training; train on one --track"
            )
        self.parts, self.evs = (paper, camera), paper.evs
        response = known_response(paper)
        self.response = response if response == known_response(camera) else None

    def sample(self, key: SampleKey) -> Sample:
        """The sample of that key."""
        return self.parts[(key.step + key.slot) // _IN_A_ROW % 2].sample(key)

    def description(self) -> dict[str, Any]:
        """What the data is."""
        return {"kind": "both tracks", "tracks": [s.description() for s in self.parts]}
