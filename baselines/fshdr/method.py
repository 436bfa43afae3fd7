"""FSHDR as a method of the benchmark."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Final

import torch
from torch import Tensor, nn

from baselines.bracket import Bracket
from baselines.conventions import Conventions, in_dataset_space
from baselines.fshdr.alignment import flow_aligned
from baselines.fshdr.network import BridgeNet
from baselines.learned import LearnedMethod, exposure_inputs
from baselines.method import MethodInfo, SizeRule

_TITLES: Final = {"S1": "FSHDR, stage S1 alone", "S1,S2": "FSHDR"}
_SUPERVISED: Final = "BridgeNet, supervised"


class FSHDRMethod(LearnedMethod):
    """BridgeNet on flow-aligned exposures, each as LDR then clipped linear RGB.

    This is FSHDR's inference. Weights say in their metadata, under "stages", which of FSHDR's
    stages they have behind them: "S1" or "S1,S2"; the authors' own state nothing and have both.
    All others, and those fed without alignment, make the method call itself "BridgeNet,
    supervised".
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
        both = "" if "method" in self.metadata else "S1,S2"
        title = _TITLES.get(self.metadata.get("stages", both), _SUPERVISED)
        if not self.conventions.flow_aligned:
            title = _SUPERVISED
        self.info = replace(FSHDRMethod.info, title=title)  # type: ignore[misc]

    @classmethod
    def infer(cls, network: nn.Module, bracket: Bracket, conventions: Conventions) -> Tensor:
        """See `LearnedMethod.infer`."""
        if conventions.flow_aligned:
            bracket = flow_aligned(bracket, conventions)
        inputs = exposure_inputs(network, bracket, conventions, "LDR, linear", clip_linear=True)
        return in_dataset_space(network(torch.cat(inputs, 1)), bracket, conventions)
