"""The row that says what the reference alone can give to a method that knows its camera."""

from typing import ClassVar

from torch import Tensor

from baselines.bracket import Bracket
from baselines.brightness import at_exposure_ratio
from baselines.method import Method, MethodError, MethodInfo


class InvertResponse(Method):
    """Takes the mid exposure back to the ground truth's brightness by the known response.

    The reference is the ground truth's own frame, so that only clipping, rounding and noise are
    lost. Exact for 8-bit and 16-bit values; a value between two 16-bit ones takes the nearer.
    """

    info: ClassVar[MethodInfo] = MethodInfo(
        name="invert-response",
        title="Inverted response of the reference",
        year=2026,
        paper="",
        licence="Apache-2.0",
        kind="bound",
        needs_response=True,
    )

    def fuse(self, bracket: Bracket) -> Tensor:
        """The reference at the exposure ratio 2**-EV of its own, clipped to [0, 1].

        Raises:
            MethodError: the bracket's response is not known.
        """
        if bracket.response is None:
            raise MethodError(
                "invert-response needs the camera response the bracket was made with; "
                "take a bracket that has it, or another method"
            )
        ratio = 2.0 ** -bracket.evs[1]
        return at_exposure_ratio(bracket.reference, bracket.response, ratio).clamp_(max=1.0)
