"""A dataset whose pictures are cut to their centre, for machines that whole ones would keep busy.

PSNR and SSIM of a centre are not those of the picture: the name and the digest say what was cut.
"""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from dmef_bench.dataset import Dataset, Scene
from dmef_bench.dataset.scene import GroundTruth

if TYPE_CHECKING:
    import torch

    from baselines import Bracket

Picture = TypeVar("Picture", Tensor, NDArray[np.uint8], NDArray[np.float32])


@dataclass(frozen=True)
class CentreScene(Scene):
    """A scene whose bracket and ground truth are cut; the files are read and proved whole.

    Attributes:
        centre: (height, width) that is left, or less where the picture is smaller.
    """

    centre: tuple[int, int] = (1, 1)

    def load_bracket(self, device: "str | torch.device" = "cpu") -> "Bracket":
        """As `Scene.load_bracket`, cut."""
        whole = super().load_bracket(device)
        rows, columns = _middle(whole.size, self.centre)
        return whole.map(lambda images: images[..., rows, columns].contiguous())

    def load_ground_truth(self) -> GroundTruth:
        """As `Scene.load_ground_truth`, cut."""
        whole = super().load_ground_truth()
        rows, columns = _middle((whole.shape[0], whole.shape[1]), self.centre)
        return whole[rows, columns].copy()


def centre_of(dataset: Dataset, size: tuple[int, int]) -> Dataset:
    """The dataset with every picture cut to (height, width)."""
    return _Centres(dataset, size)


class _Centres(Dataset):
    def __init__(self, whole: Dataset, size: tuple[int, int]) -> None:
        vars(self).update(vars(whole))
        self._centre = size
        words = f"centre {size[1]}×{size[0]}"
        self.record = whole.record.model_copy(update={"name": f"{whole.record.name}, {words}"})
        self.digest = hashlib.sha256(f"{whole.digest} {words}".encode()).hexdigest()

    def scenes(self, split: str, track: str | None = None) -> list[Scene]:
        """The scenes of a split, cut."""
        return [
            CentreScene(scene.root, scene.split, scene.record, scene.track, self._centre)
            for scene in super().scenes(split, track)
        ]


def _middle(whole: tuple[int, int], wanted: tuple[int, int]) -> tuple[slice, slice]:
    height, width = min(whole[0], wanted[0]), min(whole[1], wanted[1])
    top, left = (whole[0] - height) // 2, (whole[1] - width) // 2
    return slice(top, top + height), slice(left, left + width)
