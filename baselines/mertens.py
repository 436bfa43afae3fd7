"""Exposure fusion by Mertens, Kautz and Van Reeth, as OpenCV does it."""

from typing import ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor

from baselines.bracket import Bracket
from baselines.method import Method, MethodInfo


class Mertens(Method):
    """OpenCV's MergeMertens with its default weights, on the processor.

    MergeMertens divides whatever it gets by 255. It is given float32 pictures in [0, 255], which
    for 8-bit pictures is the same as giving it the bytes, and keeps what finer pictures hold.
    Channels go in as RGB, the order its contrast measure expects. The Laplacian pyramids
    overshoot, so the result is clipped to [0, 1]. Its threads add up the exposures in the order
    they finish, so that the last bit of a value may differ from call to call.
    """

    info: ClassVar[MethodInfo] = MethodInfo(
        name="mertens",
        title="Mertens (OpenCV)",
        year=2007,
        paper='T. Mertens, J. Kautz and F. Van Reeth, "Exposure fusion", Pacific Graphics 2007, '
        "doi 10.1109/PG.2007.17",
        licence="Apache-2.0 (OpenCV)",
        kind="classical",
        on_processor=True,
        deterministic=False,
    )

    def fuse(self, bracket: Bracket) -> Tensor:
        """Fuse each scene of the batch."""
        images = bracket.images
        scenes = images.detach().permute(0, 1, 3, 4, 2).to("cpu", torch.float32) * 255.0
        merge = cv2.createMergeMertens()
        fused = [
            merge.process([np.ascontiguousarray(exposure) for exposure in scene.numpy()])
            for scene in scenes
        ]
        result = torch.from_numpy(np.stack(fused)).permute(0, 3, 1, 2).clamp(0.0, 1.0)
        return result.contiguous().to(images)
