"""Every exposure brought to the ground truth's brightness, by a curve for each bracket."""

import functools

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from dmef_bench.ipl_plus.layers import starting_at_zero
from synth.camera_response import camera_response

EVs = tuple[float, float, float]

# Side of the grid of pixels that a bracket's curves are estimated from.
_SAMPLES = 64
# Knots of the correction to the curves; smooth, as cameras' responses are.
_CORRECTION_KNOTS = 9
# Curves are right to a fraction of an 8-bit value from the start: steps of training are small.
_STEP = 0.1


class ToneCurves(nn.Module):
    """Piecewise linear curves, one for each exposure: encoded value to the ground truth's.

    They start at the inverse of the `paper` track's response at the bracket's EVs, and what is
    learned is added to that. A correction, the same for the three channels, comes from pixels all
    over the bracket: how the exposures of one place compare says which camera took them.

    Args:
        knots: of each curve, equally spaced over [0, 1].
    """

    def __init__(self, knots: int) -> None:
        super().__init__()
        self.curves = nn.Parameter(torch.zeros(3, knots))
        self.pixel = nn.Sequential(
            nn.Conv1d(9, 48, 1), nn.LeakyReLU(0.1), nn.Conv1d(48, 48, 1), nn.LeakyReLU(0.1)
        )
        self.bracket = nn.Sequential(
            nn.Linear(96, 48),
            nn.LeakyReLU(0.1),
            starting_at_zero(nn.Linear(48, 3 * _CORRECTION_KNOTS)),
        )

    def forward(self, images: Tensor, start: Tensor) -> Tensor:
        """Exposures at one brightness.

        Args:
            images: (B, 3, 3, H, W) in [0, 1].
            start: (3, knots), what the curves start at: `inverse_responses`.

        Returns:
            The same shape, not clipped.
        """
        tables = self.tables(images, start)
        # One exposure after the other: the indices of all three would take 600 MB at 4K.
        return torch.stack([_through(images[:, n], tables[:, n]) for n in range(3)], 1)

    def tables(self, images: Tensor, start: Tensor) -> Tensor:
        """(B, 3, knots): the curves of each bracket."""
        return self.tables_of(_grid_of_pixels(images.flatten(1, 2)), start)

    def tables_of(self, pixels: Tensor, start: Tensor) -> Tensor:
        """The same from pixels (B, 9, n) all over each bracket."""
        features = self.pixel(pixels)
        summary = torch.cat([features.mean(2), features.amax(2)], 1)
        correction = self.bracket(summary).unflatten(1, (3, _CORRECTION_KNOTS))
        smooth = functional.interpolate(
            correction, self.curves.shape[1], mode="linear", align_corners=True
        )
        return start.to(self.curves.dtype) + _STEP * (self.curves + smooth)


def _through(pictures: Tensor, table: Tensor) -> Tensor:
    """(B, 3, H, W) in [0, 1] through curves (B, knots), linear between knots."""
    knots = table.shape[1]
    values = pictures.flatten(1).clamp(0, 1) * (knots - 1)
    index = values.detach().to(torch.int64).clamp_(0, knots - 2)
    start, step = table.gather(1, index), (table[:, 1:] - table[:, :-1]).gather(1, index)
    return torch.addcmul(start, step, values - index).view_as(pictures)


@functools.lru_cache(maxsize=64)
def inverse_responses(knots: int, evs: EVs, device: torch.device) -> Tensor:
    """(3, knots) float32: what the `paper` track's camera would give at the truth's exposure."""
    response, values = camera_response("sigmoid"), np.linspace(0, 1, knots)
    curves = [np.nan_to_num(response.brightness_transform(values, 2.0**-ev)) for ev in evs]
    return torch.from_numpy(np.stack(curves)).to(device, torch.float32)


def _grid_of_pixels(images: Tensor) -> Tensor:
    """(B, 9, n) pixels on a regular grid, for any size of picture."""
    rows, columns = (grid_places(size, images.device) for size in images.shape[-2:])
    return images[:, :, rows][:, :, :, columns].flatten(2)


def grid_places(size: int, device: torch.device) -> Tensor:
    """Which of so many rows or columns a bracket's curves are estimated from."""
    return torch.linspace(0, size - 1, min(size, _SAMPLES), device=device).long()
