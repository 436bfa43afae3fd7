"""GDC as a method of the benchmark."""

from typing import ClassVar

import torch
from torch import Tensor

from baselines.bracket import Bracket
from baselines.gdc.composition import gradient_directed_composition
from baselines.method import Method, MethodInfo


class GDC(Method):
    """Gradient-directed composition in its dynamic mode, on the processor."""

    info: ClassVar[MethodInfo] = MethodInfo(
        name="gdc",
        title="GDC",
        year=2010,
        paper='W. Zhang and W.-K. Cham, "Gradient-directed composition of multi-exposure images", '
        "CVPR 2010, pp. 530-536",
        licence="Apache-2.0 (written from the paper)",
        kind="classical",
        on_processor=True,
    )

    def fuse(self, bracket: Bracket) -> Tensor:
        """Fuse each scene of the batch; see `gradient_directed_composition`."""
        images = bracket.images
        stacks = images.detach().permute(0, 3, 4, 2, 1).to("cpu")
        if stacks.dtype == torch.bfloat16:
            stacks = stacks.float()
        fused = torch.stack(
            [torch.from_numpy(gradient_directed_composition(one.numpy())) for one in stacks]
        )
        return fused.permute(0, 3, 1, 2).contiguous().to(images)
