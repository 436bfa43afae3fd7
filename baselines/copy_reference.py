"""The row that says what doing nothing scores."""

from typing import ClassVar

from torch import Tensor

from baselines.bracket import Bracket
from baselines.method import Method, MethodInfo


class CopyReference(Method):
    """Returns the mid exposure as it is."""

    info: ClassVar[MethodInfo] = MethodInfo(
        name="copy-reference",
        title="Copy of the reference",
        year=2026,
        paper="",
        licence="Apache-2.0",
        kind="bound",
    )

    def fuse(self, bracket: Bracket) -> Tensor:
        """The reference exposure, unaltered."""
        return bracket.reference.clone()
