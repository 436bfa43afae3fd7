"""FSHDR as a method of the benchmark."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from baselines.bracket import Bracket
from baselines.conventions import Conventions, in_dataset_space
from baselines.fshdr.alignment import flow_aligned
from baselines.fshdr.network import BridgeNet
from baselines.learned import LearnedMethod, exposure_inputs
from baselines.method import MethodInfo, SizeRule


class FSHDRMethod(LearnedMethod):
    """BridgeNet on flow-aligned exposures, each as LDR then clipped linear RGB.

    This is FSHDR's inference. Weights that state that they were trained without the alignment are
    fed without it, and the method then calls itself "BridgeNet, supervised".
    """

    info: ClassVar[MethodInfo] = MethodInfo(
        name="fshdr",
        title="FSHDR",
        year=2021,
        paper='K. R. Prabhakar et al., "Labeled from Unlabeled: Exploiting Unlabeled Data for '
        'Few-shot Deep HDR Deghosting", CVPR 2021',
        licence="Apache-2.0 (written from the paper); the authors' code is MIT",
        kind="learned",
        size=SizeRule(minimum=12),  # OpenCV's DIS takes no smaller picture
        paper_resolution=(512, 512),
    )
    architecture = BridgeNet
    weights_to_give = (
        "one of `dmef-bench train`, or the authors' TensorFlow checkpoint converted as "
        "docs/baselines.md says"
    )

    def load(self, weights: Path | None, device: torch.device) -> None:
        """See `LearnedMethod.load`."""
        super().load(weights, device)
        title = FSHDRMethod.info.title
        if not self.conventions.flow_aligned:
            title = "BridgeNet, supervised"
        self.info = replace(FSHDRMethod.info, title=title)  # type: ignore[misc]

    @classmethod
    def infer(cls, network: nn.Module, bracket: Bracket, conventions: Conventions) -> Tensor:
        """See `LearnedMethod.infer`."""
        if conventions.flow_aligned:
            bracket = flow_aligned(bracket, conventions)
        inputs = exposure_inputs(network, bracket, conventions, "LDR, linear", clip_linear=True)
        return in_dataset_space(network(torch.cat(inputs, 1)), bracket, conventions)
