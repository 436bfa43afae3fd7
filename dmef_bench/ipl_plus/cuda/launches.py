"""Everything between a bracket and its picture for one size: buffers, and the kernels in turn.

Nothing here waits for the device, so that it can be captured.
"""

import torch
from torch import Tensor

from dmef_bench.ipl_plus.alignment import FEATURE_SCALE
from dmef_bench.ipl_plus.config import IPLPlusConfig
from dmef_bench.ipl_plus.cuda import brightness_kernels, judge_kernels
from dmef_bench.ipl_plus.cuda.convolutions import Size, Tiles, convolve, join
from dmef_bench.ipl_plus.cuda.motion import Motion
from dmef_bench.ipl_plus.cuda.packing import PackedAlignment, PackedNetwork, in_steps, product_step
from dmef_bench.ipl_plus.model import MULTIPLE, NEARLY_CLIPPED
from dmef_bench.ipl_plus.tone_curves import grid_places


class Launches:
    """A packed network prepared for brackets of one shape and dtype.

    Args:
        weights: on the device.
        config: of the network.
        images: (B, 3, 3, H, W) uint8 or float in [0, 1], contiguous, on the device; read at each
            `run`, so that new pictures are copied into it.
        start: (3, knots) float32, what the tone curves start at; read at each `run`.
        out: (B, 3, H, W) float or uint8, contiguous; written at each `run`.
        clip: whether the result is clipped to [0, 1]; always so for uint8.
        tiles: how to cut the work; what suits the dtype where None.

    Raises:
        ValueError: a tensor is not contiguous.
    """

    def __init__(
        self,
        weights: PackedNetwork,
        config: IPLPlusConfig,
        images: Tensor,
        start: Tensor,
        out: Tensor,
        *,
        clip: bool,
        tiles: Tiles | None = None,
    ) -> None:
        if not (images.is_contiguous() and start.is_contiguous() and out.is_contiguous()):
            raise ValueError("kernels read and write contiguous tensors")
        self._weights, self._config = weights, config
        self._images, self._start, self._out = images, start, out
        self._clip = clip or out.dtype == torch.uint8
        self._tiles = tiles or Tiles.default(weights.dtype)
        self._even = all(side % MULTIPLE == 0 for side in images.shape[-2:])
        self._eight_bit = images.dtype == torch.uint8
        self._batch, (self._height, self._width) = images.shape[0], images.shape[-2:]
        rows, columns = (-(-side // MULTIPLE) * MULTIPLE for side in images.shape[-2:])
        self._places = tuple(
            grid_places(padded, images.device).clamp(max=real - 1)
            for padded, real in zip((rows, columns), images.shape[-2:], strict=True)
        )
        # At half of the resolution, at a quarter, an eighth, a sixteenth.
        self._sizes = [Size(self._batch, rows // n, columns // n) for n in (2, 4, 8, 16)]
        tiles_of_plane = -(-self._height * self._width // self._tiles.single)
        self._peaks = images.new_empty(9 * self._batch, tiles_of_plane, dtype=torch.float32)
        self._estimates = images.new_empty(images.shape, dtype=weights.dtype)
        self._outer = images.new_empty(2 * self._batch, 3, rows, columns, dtype=weights.dtype)
        judge = weights.judge
        channels = [judge.residuals["half_out"][0].inputs, *(n.outputs for n in judge.down)]
        # Three of each size: what came down, what a block is working on, what goes up.
        self._features = [
            [images.new_empty(size.pixels, count, dtype=weights.dtype) for _ in range(3)]
            for size, count in zip(self._sizes, channels, strict=True)
        ]
        self._motion = (
            None
            if weights.alignment is None
            else Motion(weights.alignment, config, self._sizes[2], weights.dtype, self._tiles)
        )

    def run(self) -> None:
        """Launch all kernels, from `images` and `start` to `out`."""
        self._estimate()
        if self._motion is not None and self._weights.alignment is not None:
            self._enter(self._motion, self._weights.alignment)
            self._motion.run()
            self._align(self._motion)
        self._look()
        self._judge()

    def _estimate(self) -> None:
        rows, columns = self._places
        pixels = self._images.flatten(1, 2).index_select(2, rows).index_select(3, columns)
        pixels = pixels.flatten(2).float()
        if self._eight_bit:
            pixels = pixels / 255
        self._tables = self._weights.curves.tables_of(pixels, self._start).contiguous()
        tiles = self._peaks.shape[1]
        brightness_kernels.estimate[(tiles, 9 * self._batch)](
            self._images, self._tables, self._estimates, self._peaks,
            self._height * self._width, tiles,
            KNOTS=self._config.knots, P=self._tiles.single, EIGHT_BIT=self._eight_bit,
            num_warps=self._tiles.warps,
        )  # fmt: skip

    def _enter(self, motion: Motion, weights: PackedAlignment) -> None:
        size = self._sizes[2]
        limits = self._peaks.view(self._batch, 3, -1).amax(2)
        exposures = Size(3 * self._batch, size.rows, size.columns)
        brightness_kernels.enter[exposures.grid(self._tiles.gathered)](
            self._images, self._estimates, limits, motion.entered, motion.pictures,
            weights.entry, weights.entry_bias,
            self._batch, self._height, self._width, size.rows, size.columns,
            SCALE=FEATURE_SCALE, C=motion.entered.shape[2], CP=weights.entry.shape[1],
            P=self._tiles.gathered, EIGHT_BIT=self._eight_bit, num_warps=self._tiles.warps,
        )  # fmt: skip

    def _align(self, motion: Motion) -> None:
        eighth, outer = self._sizes[2], Size(2 * self._batch, *self._outer.shape[2:])
        judge_kernels.align[outer.grid(self._tiles.fetched)](
            self._estimates, motion.flow, self._outer, self._batch, self._height, self._width,
            outer.rows, outer.columns, eighth.rows, eighth.columns,
            SCALE=FEATURE_SCALE, P=self._tiles.fetched, num_warps=self._tiles.warps,
        )  # fmt: skip

    def _look(self) -> None:
        size, judge, half = self._sizes[0], self._weights.judge, self._features[0][0]
        judge_kernels.look[size.grid(self._tiles.pixels)](
            self._images, self._estimates, self._outer, half, judge.entry, judge.entry_bias,
            self._batch, self._height, self._width, size.rows, size.columns,
            OUT=half.shape[1], NP=judge.entry.shape[2], P=self._tiles.pixels,
            ALIGNED=self._motion is not None, EVEN=self._even, EIGHT_BIT=self._eight_bit,
            num_warps=self._tiles.warps,
        )  # fmt: skip

    def _judge(self) -> None:
        judge, tiles, sizes, features = (
            self._weights.judge, self._tiles, self._sizes, self._features,
        )  # fmt: skip
        # Down: a strided layer, then a block, which leaves its result in the level's first buffer.
        for level, name in enumerate(("quarter_in", "eighth_in"), 1):
            goal, inner, entered = features[level]
            convolve(
                judge.down[level - 1], features[level - 1][0], sizes[level - 1], entered, tiles,
                leaky=True,
            )  # fmt: skip
            self._block(name, level, entered, inner, goal)
        goal, inner, entered = features[3]
        convolve(judge.down[2], features[2][0], sizes[2], entered, tiles, leaky=True)
        self._block("sixteenth.0", 3, entered, inner, goal)
        self._block("sixteenth.1", 3, goal, inner, entered)
        # Up: a join into the level's third buffer, whose block goes on in it.
        coarse = entered
        for level, name in ((2, "eighth_out"), (1, "quarter_out")):
            came_down, inner, joined = features[level]
            join(judge.joins[2 - level], coarse, came_down, sizes[level], joined, tiles)
            self._block(name, level, joined, inner, joined)
            coarse = joined
        came_down, inner, joined = features[0]
        join(judge.joins[2], coarse, came_down, sizes[0], joined, tiles)
        first, _ = judge.residuals["half_out"]
        convolve(first, joined, sizes[0], inner, tiles, leaky=True)
        self._mix(inner, joined)

    def _block(self, name: str, level: int, given: Tensor, inner: Tensor, goal: Tensor) -> None:
        """A residual block; the goal may be what is given."""
        first, second = self._weights.judge.residuals[name]
        size = self._sizes[level]
        convolve(first, given, size, inner, self._tiles, leaky=True)
        convolve(second, inner, size, goal, self._tiles, residual=given)

    def _mix(self, inner: Tensor, residual: Tensor) -> None:
        size, judge = self._sizes[0], self._weights.judge
        _, last = judge.residuals["half_out"]
        judge_kernels.mix[size.grid(self._tiles.pixels)](
            inner, residual, self._images, self._estimates, self._outer, self._out,
            last.weight, last.bias, judge.exit, judge.exit_bias, judge.trust,
            self._batch, self._height, self._width, size.rows, size.columns,
            IN=last.inputs, KP=in_steps(last.inputs), BK=product_step(last.inputs),
            NP=last.weight.shape[1], P=self._tiles.pixels, NEARLY=NEARLY_CLIPPED,
            ALIGNED=self._motion is not None, EVEN=self._even, CLIP=self._clip,
            EIGHT_BIT=self._eight_bit, EIGHT_BIT_OUT=self._out.dtype == torch.uint8,
            num_warps=self._tiles.warps, num_stages=self._tiles.stages,
        )  # fmt: skip
