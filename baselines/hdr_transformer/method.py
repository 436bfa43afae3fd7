"""HDR-Transformer as a method of the benchmark."""

from typing import ClassVar

from torch import Tensor, nn

from baselines.bracket import Bracket
from baselines.conventions import Conventions, in_dataset_space
from baselines.hdr_transformer.network import HDRTransformer
from baselines.learned import LearnedMethod, exposure_inputs
from baselines.method import MethodInfo, SizeRule


class HDRTransformerMethod(LearnedMethod):
    """Each exposure in linear light then LDR, both BGR; BGR out; multiples of the window."""

    info: ClassVar[MethodInfo] = MethodInfo(
        name="hdr-transformer",
        title="HDR-Transformer",
        year=2022,
        paper='Z. Liu et al., "Ghost-free High Dynamic Range Imaging with Context-aware '
        'Transformer", ECCV 2022, arXiv 2208.05114',
        licence="Apache-2.0 (written from the paper); the authors' code states none",
        kind="learned",
        size=SizeRule(minimum=8, multiple=8),
        paper_resolution=(200, 200),
    )
    architecture = HDRTransformer

    @classmethod
    def infer(cls, network: nn.Module, bracket: Bracket, conventions: Conventions) -> Tensor:
        """See `LearnedMethod.infer`."""
        inputs = exposure_inputs(network, bracket, conventions, "linear, LDR", "BGR")
        return in_dataset_space(network(*inputs).flip(1), bracket, conventions)
