"""The interface of a fusion method and what the benchmark needs to know about it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from baselines.bracket import Bracket

Kind = Literal["bound", "classical", "learned"]


@dataclass(frozen=True)
class SizeRule:
    """Which heights and widths a method takes; the protocols pad (reflect) and crop to it.

    Attributes:
        minimum: smallest height and width in pixels.
        multiple: height and width must be multiples of this.
    """

    minimum: int = 1
    multiple: int = 1

    def fit(self, height: int, width: int) -> tuple[int, int]:
        """The smallest allowed size that covers (height, width)."""

        def up(length: int) -> int:
            return -(-max(length, self.minimum) // self.multiple) * self.multiple

        return up(height), up(width)


@dataclass(frozen=True)
class PublishedFigure:
    """A figure printed somewhere, shown beside ours and never mixed with it.

    Attributes:
        source: citation with table number.
        dataset: the dataset it was measured on.
        psnr: in dB; ssim, lpips: dimensionless; seconds: per picture; None where not printed.
        note: why it can't be compared with ours, empty where it can.
    """

    source: str
    dataset: str
    psnr: float | None = None
    ssim: float | None = None
    lpips: float | None = None
    seconds: float | None = None
    note: str = ""


@dataclass(frozen=True)
class MethodInfo:
    """What a table says about a method.

    Attributes:
        name: short name used on the command line: lower case letters, digits and hyphens.
        title: name as printed in tables.
        year: of publication.
        paper: citation with DOI or arXiv number; empty for a bound.
        licence: of this implementation's origin.
        kind: "bound" (a row that puts the others in proportion), "classical" or "learned".
        size: sizes `fuse` takes.
        paper_resolution: (height, width) the IPL paper fed this method with (its MR column),
            None where the method runs on the whole picture.
        needs_response: whether `fuse` needs `Bracket.response`.
        on_processor: whether `fuse` works on the processor, whichever device is asked for.
        deterministic: whether the same bracket always gives the same bits on one machine.
        published: figures from elsewhere that belong beside ours (the IPL paper's own tables are
            kept by the leaderboard and need not be repeated here).
    """

    name: str
    title: str
    year: int
    paper: str
    licence: str
    kind: Kind
    size: SizeRule = SizeRule()
    paper_resolution: tuple[int, int] | None = None
    needs_response: bool = False
    on_processor: bool = False
    deterministic: bool = True
    published: tuple[PublishedFigure, ...] = ()


class Method(ABC):
    """Anything that fuses a bracket. Subclasses set `info` and write `fuse`."""

    info: ClassVar[MethodInfo]

    def __init__(self) -> None:
        self.device = torch.device("cpu")
        self.weights_sha256: str | None = None
        self.weights_training: str | None = None

    def load(self, weights: Path | None, device: torch.device) -> None:
        """Get ready on `device`; learned methods read `weights` or their shipped ones.

        A learned method sets `self.weights_sha256` to the SHA-256 of the file it read, and
        `self.weights_training` to how it was trained, where the file says so.

        Raises:
            WeightsError: the weights are missing, unsafe or not this method's.
        """
        if weights is not None:
            raise WeightsError(f"{self.info.name} takes no weights, but {weights} was given")
        self.device = device

    @abstractmethod
    def fuse(self, bracket: Bracket) -> Tensor:
        """Fuse a bracket whose size fits `info.size` into one picture.

        Args:
            bracket: images (B, 3, 3, H, W) in [0, 1] on `self.device`.

        Returns:
            (B, 3, H, W), same dtype and device, in [0, 1], in the geometry and brightness of the
            ground truth (the unaltered frame the reference exposure was made from).
        """

    @classmethod
    def shipped_weights(cls) -> Path | None:
        """The file that `load(None, ...)` reads; None where the method has or needs none."""
        return None

    def network(self) -> nn.Module | None:
        """The network whose parameters and MACs are counted; None where there is none."""
        return None


class MethodError(Exception):
    """A method that can't be found, loaded or used; the message says which and what to do."""


class WeightsError(MethodError):
    """Weights that are missing, unsafe or belong to another method."""


class WeightsMissingError(WeightsError):
    """A learned method that was given no weights and ships none."""
