"""Protocol `paper`: bilinear down to the method's resolution, infer, bilinear up."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from baselines import Bracket
from dmef_bench.evaluation.protocols.base import Fuse, Protocol, ProtocolName


@dataclass(frozen=True)
class PaperProtocol(Protocol):
    """As the IPL paper feeds methods that can't take 4K (its column MR).

    The picture is squeezed into the printed height and width, whatever its own aspect; a side
    that is smaller than the printed one is left as it is, and so is the whole picture where the
    method has no resolution of its own. Bilinear means `torch.nn.functional.interpolate` with
    align_corners=False, as the public code of such methods calls it.

    Attributes:
        resolution: (height, width) for the method, None for the whole picture.
        antialias: whether the way down averages over all pixels it skips.
    """

    resolution: tuple[int, int] | None = None
    antialias: bool = False
    name: ClassVar[ProtocolName] = "paper"

    def call_size(self, height: int, width: int) -> tuple[int, int]:
        """The resolution, never larger than the picture."""
        if self.resolution is None:
            return height, width
        return min(height, self.resolution[0]), min(width, self.resolution[1])

    def calls(self, height: int, width: int) -> int:
        """One."""
        return 1

    def predict(self, bracket: Bracket, fuse: Fuse) -> Tensor:
        """Down, one call, up."""
        small = self.call_size(*bracket.size)
        if small == bracket.size:
            return fuse(bracket)
        picture = fuse(bracket.map(lambda images: self._down(images, small)))
        return functional.interpolate(
            picture, size=bracket.size, mode="bilinear", align_corners=False
        )

    def _down(self, images: Tensor, size: tuple[int, int]) -> Tensor:
        planes = images.flatten(0, 1)
        small = functional.interpolate(
            planes, size=size, mode="bilinear", align_corners=False, antialias=self.antialias
        )
        return small.reshape(*images.shape[:3], *size)
