"""How the kernels cut their work, and launching a packed convolution."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dmef_bench.ipl_plus.cuda import convolution_kernels
from dmef_bench.ipl_plus.cuda.packing import Layer, exact_step, in_steps, product_step


@dataclass(frozen=True)
class Tiles:
    """How the work is cut; changes the time, never the result. Not tuned on a GPU yet.

    Attributes:
        pixels: output pixels in a tile of a convolution; a power of two, at least 16.
        gathered: the same for the alignment's own kernels, on its levels.
        fetched: pixels of full resolution in a tile where the outer exposures are fetched.
        single: pixels in a tile of what is pointwise.
        warps: groups of 32 threads that share a tile.
        stages: how many steps of a product are loaded ahead of it, this one included.
    """

    pixels: int = 128
    gathered: int = 32
    fetched: int = 256
    single: int = 1024
    warps: int = 4
    stages: int = 3

    @classmethod
    def default(cls, dtype: torch.dtype) -> "Tiles":
        """What leaves room for several tiles on a multiprocessor."""
        return cls(pixels=64, stages=2) if dtype == torch.float32 else cls()


@dataclass(frozen=True)
class Size:
    """Of features in rows: how many images, rows and columns."""

    images: int
    rows: int
    columns: int

    @property
    def pixels(self) -> int:
        """Of all images."""
        return self.images * self.rows * self.columns

    def grid(self, tile: int) -> tuple[int, int, int]:
        """Tiles of a row, rows, images."""
        return -(-self.columns // tile), self.rows, self.images

    def halved(self) -> "Size":
        """Rounded up."""
        return Size(self.images, -(-self.rows // 2), -(-self.columns // 2))


def convolve(
    layer: Layer,
    source: Tensor,
    size: Size,
    out: Tensor,
    tiles: Tiles,
    *,
    leaky: bool = False,
    residual: Tensor | None = None,
) -> None:
    """Launch a 3×3 layer.

    Args:
        layer: packed.
        source: at least size.pixels · layer.inputs numbers.
        size: of the source.
        out: where to write, in its own dtype.
        tiles: how to cut the work.
        leaky: whether a leaky ReLU follows.
        residual: what is added last, like out, and may be out.
    """
    goal = size if layer.stride == 1 else size.halved()
    convolution_kernels.convolve[goal.grid(tiles.pixels)](
        source, layer.weight, layer.bias, out if residual is None else residual, out,
        size.rows, size.columns,
        IN=layer.inputs, KP=in_steps(layer.inputs), BK=product_step(layer.inputs),
        OUT=layer.outputs, NP=layer.weight.shape[1], STRIDE=layer.stride,
        DILATION=layer.dilation, LEAKY=leaky, RESIDUAL=residual is not None, P=tiles.pixels,
        num_warps=tiles.warps, num_stages=tiles.stages,
    )  # fmt: skip


def join(layer: Layer, coarse: Tensor, fine: Tensor, size: Size, out: Tensor, tiles: Tiles) -> None:
    """Launch a 1×1 layer of coarse features, enlarged twofold, beside fine ones of this size."""
    fine_inputs = layer.weight.shape[0] - layer.inputs
    convolution_kernels.join[size.grid(tiles.pixels)](
        coarse, fine, layer.weight, layer.bias, out, size.rows, size.columns,
        COARSE=layer.inputs, COARSE_BK=exact_step(layer.inputs),
        FINE=fine_inputs, FINE_BK=exact_step(fine_inputs),
        OUT=layer.outputs, NP=layer.weight.shape[1], P=tiles.pixels,
        num_warps=tiles.warps, num_stages=tiles.stages,
    )  # fmt: skip
