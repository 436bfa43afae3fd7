"""What the three protocols have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal

from torch import Tensor

from baselines import Bracket

ProtocolName = Literal["paper", "tiled", "native"]

Fuse = Callable[[Bracket], Tensor]
"""One call of a method: a bracket of any size in, (B, 3, H, W) float32 of that size out."""


class Protocol(ABC):
    """Brings a bracket to a method and the method's picture back to the bracket's size."""

    name: ClassVar[ProtocolName]

    @property
    @abstractmethod
    def resolution(self) -> tuple[int, int] | None:
        """(height, width) that is asked for, None where the method sees the whole picture."""

    @abstractmethod
    def call_size(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) of every call for a picture of this size, before any size rule."""

    @abstractmethod
    def calls(self, height: int, width: int) -> int:
        """How often the method is called for a picture of this size."""

    @abstractmethod
    def predict(self, bracket: Bracket, fuse: Fuse) -> Tensor:
        """Fuse a whole bracket.

        Args:
            bracket: images (B, 3, 3, H, W) float32 in [0, 1].
            fuse: the method.

        Returns:
            (B, 3, H, W) float32 on the bracket's device.
        """
