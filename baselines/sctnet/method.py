"""SCTNet as a method of the benchmark."""

from typing import ClassVar

from torch import Tensor, nn

from baselines.bracket import Bracket
from baselines.conventions import Conventions, in_dataset_space
from baselines.learned import LearnedMethod, exposure_inputs
from baselines.method import MethodInfo, SizeRule
from baselines.sctnet.network import SCTNet


class SCTNetMethod(LearnedMethod):
    """Each exposure in linear light then LDR, both BGR; BGR out; multiples of the window.

    The network itself pads to its window and does not crop; a bracket of a fitting size leaves it
    nothing to pad.
    """

    info: ClassVar[MethodInfo] = MethodInfo(
        name="sctnet",
        title="SCTNet",
        year=2023,
        paper='S. Tel et al., "Alignment-free HDR Deghosting with Semantics Consistent '
        'Transformer", ICCV 2023, arXiv 2305.18135',
        licence="Apache-2.0 (written from the paper); the authors' code states none",
        kind="learned",
        size=SizeRule(minimum=8, multiple=8),
        paper_resolution=(200, 200),
    )
    architecture = SCTNet

    @classmethod
    def infer(cls, network: nn.Module, bracket: Bracket, conventions: Conventions) -> Tensor:
        """See `LearnedMethod.infer`."""
        inputs = exposure_inputs(network, bracket, conventions, "linear, LDR", "BGR")
        return in_dataset_space(network(*inputs).flip(1), bracket, conventions)
