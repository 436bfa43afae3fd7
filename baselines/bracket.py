"""What every fusion method is given: three exposures of one moving scene."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


class CameraResponse(Protocol):
    """The part of a camera response model that a method may use when it is known."""

    def brightness_transform(
        self, B: NDArray[np.float64], k: float
    ) -> NDArray[np.float64]:  # pragma: no cover - a signature
        """Brightness in [0, 1] at exposure ratio k times the original one; not clipped."""
        ...


@dataclass(frozen=True)
class Bracket:
    """Low, mid and high exposure of a scene (or of a batch of scenes with the same EVs).

    Attributes:
        images: (B, 3, 3, H, W) floating point in [0, 1]: batch, exposure from low to high,
            RGB channel, height, width. Display-referred (gamma-encoded) values.
        evs: exposure values of low, mid and high relative to the ground truth; k = 2**EV.
        response: the camera response model the bracket was synthesised with, where known.
    """

    images: Tensor
    evs: tuple[float, float, float]
    response: CameraResponse | None = None

    def __post_init__(self) -> None:
        if self.images.ndim != 5 or self.images.shape[1:3] != (3, 3):
            raise ValueError(
                f"a bracket is (B, 3 exposures, 3 channels, H, W), got {tuple(self.images.shape)}"
            )
        if not self.images.is_floating_point():
            raise ValueError(f"a bracket holds floats in [0, 1], got {self.images.dtype}")

    @property
    def low(self) -> Tensor:
        """(B, 3, H, W): the darkest exposure, of frame 1."""
        return self.images[:, 0]

    @property
    def reference(self) -> Tensor:
        """(B, 3, H, W): the mid exposure, of frame 2, whose geometry the result must have."""
        return self.images[:, 1]

    @property
    def high(self) -> Tensor:
        """(B, 3, H, W): the brightest exposure, of frame 3."""
        return self.images[:, 2]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.images.shape[-2], self.images.shape[-1]

    def map(self, function: Callable[[Tensor], Tensor]) -> "Bracket":
        """The same bracket with `function` applied to the (B, 3, 3, H, W) images."""
        return replace(self, images=function(self.images))
