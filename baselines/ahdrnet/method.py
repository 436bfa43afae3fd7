"""AHDRNet as a method of the benchmark."""

from typing import ClassVar

from torch import Tensor, nn

from baselines.ahdrnet.network import AHDRNet
from baselines.bracket import Bracket
from baselines.conventions import Conventions, in_dataset_space
from baselines.learned import LearnedMethod, exposure_inputs
from baselines.method import MethodInfo


class AHDRNetMethod(LearnedMethod):
    """Each exposure as LDR then linear RGB; any size."""

    info: ClassVar[MethodInfo] = MethodInfo(
        name="ahdrnet",
        title="AHDRNet",
        year=2019,
        paper='Q. Yan et al., "Attention-guided Network for Ghost-free High Dynamic Range '
        'Imaging", CVPR 2019, arXiv 1904.10293',
        licence="Apache-2.0 (written from the paper); the authors' code states none",
        kind="learned",
        paper_resolution=(256, 256),
    )
    architecture = AHDRNet

    @classmethod
    def infer(cls, network: nn.Module, bracket: Bracket, conventions: Conventions) -> Tensor:
        """See `LearnedMethod.infer`."""
        inputs = exposure_inputs(network, bracket, conventions, "LDR, linear")
        return in_dataset_space(network(*inputs), bracket, conventions)
