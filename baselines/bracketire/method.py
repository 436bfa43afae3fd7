"""BracketIRE, brought to three sRGB exposures, as a method of the benchmark."""

from typing import ClassVar, Final

from torch import Tensor, nn

from baselines.bracket import Bracket
from baselines.bracketire.network import TMRNet
from baselines.conventions import Conventions, in_dataset_space, linear_exposures
from baselines.learned import LearnedMethod, config_of, precision_of
from baselines.method import MethodInfo

# The reference comes first: every other frame is laid onto it.
_ORDER: Final = [1, 0, 2]


class BracketIREMethod(LearnedMethod):
    """TMRNet on three exposures in linear light, the reference first; any size.

    The authors' checkpoints restore five packed Bayer frames and can't be used here.
    """

    info: ClassVar[MethodInfo] = MethodInfo(
        name="bracketire",
        title="BracketIRE (three sRGB exposures)",
        year=2025,
        paper='Z. Zhang et al., "Exposure Bracketing Is All You Need For A High-Quality Image", '
        "ICLR 2025, arXiv 2401.00766",
        licence="Apache-2.0 (written from the paper); the authors' code is for non-commercial use",
        kind="learned",
        paper_resolution=(1024, 1024),
    )
    architecture = TMRNet
    authors = Conventions(output="linear")
    weights_to_give = "one of `dmef-bench train`; the authors' are for five Bayer frames"

    @classmethod
    def misfit(cls, network: nn.Module) -> str:
        """See `LearnedMethod.misfit`."""
        config = config_of(network)
        if (config.frames, config.channels) == (3, 3):
            return ""
        return f"it takes {config.frames} frames of {config.channels} channels"

    @classmethod
    def infer(cls, network: nn.Module, bracket: Bracket, conventions: Conventions) -> Tensor:
        """See `LearnedMethod.infer`."""
        frames = linear_exposures(bracket, conventions)[:, _ORDER]
        output = network(frames.to(precision_of(network)))
        return in_dataset_space(output, bracket, conventions)
