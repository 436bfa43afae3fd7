"""Protocol `native`: the whole picture at once."""

from typing import ClassVar

from torch import Tensor

from baselines import Bracket
from dmef_bench.evaluation.protocols.base import Fuse, Protocol, ProtocolName


class NativeProtocol(Protocol):
    """The method sees every pixel in one call; it may run out of memory."""

    name: ClassVar[ProtocolName] = "native"

    @property
    def resolution(self) -> None:
        """None: the whole picture."""
        return None

    def call_size(self, height: int, width: int) -> tuple[int, int]:
        """The picture's own size."""
        return height, width

    def calls(self, height: int, width: int) -> int:
        """One."""
        return 1

    def predict(self, bracket: Bracket, fuse: Fuse) -> Tensor:
        """One call, nothing else."""
        return fuse(bracket)
