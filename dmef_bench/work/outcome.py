"""What became of an input, wherever it was worked on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Inputs = Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Done(Generic[T]):
    """What the function returned for the input called `key`."""

    key: str
    value: T


@dataclass(frozen=True)
class Broken:
    """The input called `key` could not be worked on; `reason` is one line.

    Attributes:
        killed: whether its process ended without an answer.
    """

    key: str
    reason: str
    killed: bool = False
