"""SAFNet as a method of the benchmark."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from baselines.bracket import Bracket
from baselines.conventions import GAMMA, Conventions, in_dataset_space, linear_exposures, precise
from baselines.learned import LearnedMethod, precision_of
from baselines.method import MethodInfo, PublishedFigure
from baselines.safnet.network import SAFNet


class SAFNetMethod(LearnedMethod):
    """Each exposure as what is to be merged, then LDR, both RGB; any size.

    The network merges the first three channels of the exposures and corrects the outcome. So they
    are in the space it predicts: linear light for the authors' weights, and display-referred
    values at the ground truth's exposure for weights whose output is "display".
    """

    info: ClassVar[MethodInfo] = MethodInfo(
        name="safnet",
        title="SAFNet",
        year=2024,
        paper='L. Kong et al., "SAFNet: Selective Alignment Fusion Network for Efficient HDR '
        'Imaging", ECCV 2024, arXiv 2407.16308',
        licence="Apache-2.0 (written from the paper); the authors' code and weights are for "
        "academic research only",
        kind="learned",
        published=(
            PublishedFigure(
                source="L. Kong et al., ECCV 2024",
                dataset="Kalantari 2017, test",
                psnr=44.66,
                note="PSNR-μ: of linear light after the μ-law, on scenes with linear ground truth",
            ),
        ),
    )
    architecture = SAFNet

    @classmethod
    def misfit(cls, network: nn.Module) -> str:
        """Empty: a SAFNet has no configuration for another kind of input."""
        del network
        return ""

    @classmethod
    def infer(cls, network: nn.Module, bracket: Bracket, conventions: Conventions) -> Tensor:
        """See `LearnedMethod.infer`."""
        mergeable = linear_exposures(bracket, conventions)
        if conventions.output == "display":
            mergeable = mergeable.pow(1 / GAMMA)
        exposures = torch.cat((mergeable, precise(bracket.images)), 2).to(precision_of(network))
        refined: Tensor = network(*exposures.unbind(1))[1]
        return in_dataset_space(refined, bracket, conventions)
