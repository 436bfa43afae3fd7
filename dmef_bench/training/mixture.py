"""Training samples from two sources in turn."""

from typing import Any

from dmef_bench.errors import UsageError
from dmef_bench.training.samples import Sample, SampleKey, Source, known_response


class Mixture:
    """Every other sample comes from the second source.

    Args:
        first: serves even places (step + slot).
        second: serves odd places.

    Attributes:
        parts: both.

    Raises:
        UsageError: they expose differently.
    """

    def __init__(self, first: Source, second: Source) -> None:
        if first.track != second.track:
            raise UsageError(
                f"exposures of the track {first.track} and of the track {second.track} can't be "
                "mixed in one training; name the one you want with --track"
            )
        if first.evs != second.evs:
            raise UsageError(
                f"exposures of {first.evs} EV and of {second.evs} EV can't be mixed in one "
                "training; leave --photos out or build the dataset with the default --evs"
            )
        self.parts, self.evs, self.track = (first, second), first.evs, first.track
        response = known_response(first)
        self.response = response if response == known_response(second) else None

    def sample(self, key: SampleKey) -> Sample:
        """The sample of that key."""
        return self.parts[(key.step + key.slot) % 2].sample(key)

    def description(self) -> dict[str, Any]:
        """What the data is."""
        return {"kind": "mixture", "sources": [s.description() for s in self.parts]}
