"""Where the outer exposures' pixels belong in the reference: flow by a pyramid of matches."""

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from dmef_bench.ipl_plus.layers import Residual, of_squares, starting_at_zero

# Pixels of the picture for one of the features' finest level, along each side. A level of 4 would
# take four times the arithmetic of this one.
FEATURE_SCALE = 8


class Alignment(nn.Module):
    """Dense flow from the reference into the outer exposures, coarse to fine.

    On each level of a pyramid blocks are matched by their pictures, both clipped as the brighter
    camera would clip them, and convolutions correct what that gives, most of all where clipped
    areas have nothing to match. One set of weights serves all levels, so that what small crops
    teach holds for a 4K picture's large motions.

    Args:
        features: channels the corrections are made from.
        radius: of the search on each level, in its pixels.
        coarsest: shorter side in pixels below which there is no further level.
    """

    def __init__(self, features: int, radius: int, coarsest: int) -> None:
        super().__init__()
        self.radius, self.coarsest = radius, coarsest
        self.entry = nn.Conv2d(6 * FEATURE_SCALE**2, features, 1)
        self.same = Residual(features)
        self.down = nn.Conv2d(features, features, 3, 2, 1)
        self.head = nn.Sequential(
            nn.Conv2d((2 * radius + 1) ** 2 + 2 * features + 2, 48, 3, padding=1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(48, 48, 3, padding=2, dilation=2),
            nn.LeakyReLU(0.1),
            nn.Conv2d(48, 32, 3, padding=1),
            nn.LeakyReLU(0.1),
            starting_at_zero(nn.Conv2d(32, 2, 3, padding=1)),
        )
        self.sharpness = nn.Parameter(torch.tensor(1.0))

    def forward(self, images: Tensor, estimates: Tensor) -> Tensor:
        """Flow at an eighth of the resolution.

        Args:
            images: (B, 3, 3, H, W) exposures; H and W multiples of 8.
            estimates: the same at one brightness.

        Returns:
            (2B, 2, H/8, W/8) float32 in any precision: into the low exposures, then the high ones;
            x and y in pixels of that resolution, from a reference's pixel to where the same thing
            is in the other.
        """
        features = self._features(images, estimates)
        pooled = [functional.avg_pool2d(known, FEATURE_SCALE) for known in comparable(estimates)]
        levels = [(features, torch.cat(pooled))]
        while min(features.shape[-2:]) > self.coarsest:
            features = self.same(functional.leaky_relu(self.down(features), 0.1))
            pictures = functional.avg_pool2d(levels[-1][1], 2, ceil_mode=True)
            levels.append((features, pictures))
        flow = images.new_zeros(2 * images.shape[0], 2, 1, 1, dtype=torch.float32)
        for features, pictures in reversed(levels):
            flow = enlarged(flow, (features.shape[-2], features.shape[-1]))
            flow = self._refined(features, pictures, flow)
        return flow

    def _features(self, images: Tensor, estimates: Tensor) -> Tensor:
        """(3B, features, H/8, W/8): low, reference and high exposures one after another."""
        encoded, known = (x.transpose(0, 1).flatten(0, 1) for x in (images, estimates.clamp(0, 1)))
        of_encoded, of_known = self.entry.weight.chunk(2, 1)
        entered = of_squares(encoded, of_encoded, self.entry.bias)
        entered = entered + of_squares(known, of_known, None)
        features: Tensor = self.same(functional.leaky_relu(entered, 0.1))
        return features

    def _refined(self, features: Tensor, pictures: Tensor, flow: Tensor) -> Tensor:
        low, reference, high = features.chunk(3)
        others = warp(torch.cat([torch.cat([low, high]), pictures[flow.shape[0] :]], 1), flow)
        other, picture = others[:, :-3], others[:, -3:]
        shares = matches(pictures[: flow.shape[0]], picture, self.radius, 15 * self.sharpness)
        moved = flow + functional.avg_pool2d(
            mean_shift(shares, self.radius), 3, 1, 1, count_include_pad=False
        )
        told = moved.to(shares.dtype)
        known = torch.cat([shares, torch.cat([reference, reference]), other, told], 1)
        correction: Tensor = self.head(known)
        return moved + correction.float()


def comparable(estimates: Tensor) -> Iterator[Tensor]:
    """Pictures that differ by motion alone: each pair clipped where its brighter exposure clips.

    Args:
        estimates: (B, 3, 3, H, W) at one brightness.

    Yields:
        (B, 3, H, W), four times: the reference as the pair with the low exposure sees it, as that
        with the high one sees it; then the low and the high exposures.
    """
    low, reference, high = estimates.unbind(1)
    limit, limit_high = reference.amax((1, 2, 3), True), high.amax((1, 2, 3), True)
    yield reference
    yield torch.minimum(reference, limit_high)
    yield torch.minimum(low, limit)
    yield high


def matches(reference: Tensor, other: Tensor, radius: int, sharpness: Tensor) -> Tensor:
    """How well blocks of 5×5 match at each shift, as shares of one: (B, (2·radius+1)², h, w).

    The softmax of minus the squared difference, relative to its mean over all shifts (blocks
    without texture match everywhere alike), with a slight preference for small shifts.
    """
    height, width = reference.shape[-2:]
    padded = functional.pad(other, (radius,) * 4, mode="replicate")
    difference = torch.stack(
        [
            (reference - padded[..., y : y + height, x : x + width]).square().mean(1)
            for y, x in itertools.product(range(2 * radius + 1), repeat=2)
        ],
        1,
    )
    blocks = functional.avg_pool2d(difference, 5, 1, 2, count_include_pad=False)
    relative = blocks / (blocks.mean(1, keepdim=True) + 1e-4)
    squares = torch.arange(-radius, radius + 1, device=blocks.device).square()
    far = 0.05 * (squares[:, None] + squares).to(blocks.dtype).view(1, -1, 1, 1)
    return (-sharpness * relative - far).softmax(1)


def mean_shift(shares: Tensor, radius: int) -> Tensor:
    """The mean of the shifts by their shares: (B, 2, h, w), x and y."""
    side = 2 * radius + 1
    square = shares.view(shares.shape[0], side, side, *shares.shape[-2:])
    shifts = torch.arange(-radius, radius + 1, device=shares.device, dtype=shares.dtype)
    x = (square.sum(1) * shifts.view(1, -1, 1, 1)).sum(1)
    y = (square.sum(2) * shifts.view(1, -1, 1, 1)).sum(1)
    return torch.stack([x, y], 1)


def enlarged(flow: Tensor, size: tuple[int, int]) -> Tensor:
    """Flow (B, 2, h, w) at another size (H, W), in that size's pixels."""
    larger = functional.interpolate(flow, size, mode="bilinear", align_corners=False)
    x, y = larger.unbind(1)
    return torch.stack([x * (size[1] / flow.shape[-1]), y * (size[0] / flow.shape[-2])], 1)


def warp(pictures: Tensor, flow: Tensor) -> Tensor:
    """What lies at each pixel's place plus its flow, bilinear; beyond the border, the border.

    Args:
        pictures: (B, C, H, W).
        flow: (B, 2, H, W), x and y in pixels. Places are computed in float32 whatever its type.

    Returns:
        (B, C, H, W) in the pictures' type.
    """
    height, width = pictures.shape[-2:]
    rows = torch.arange(height, device=flow.device, dtype=torch.float32)
    columns = torch.arange(width, device=flow.device, dtype=torch.float32)
    x = (columns + flow[:, 0].float()) * (2 / width) + (1 / width - 1)
    y = (rows[:, None] + flow[:, 1].float()) * (2 / height) + (1 / height - 1)
    places = torch.stack([x, y], -1)
    warped = functional.grid_sample(
        pictures.float(), places, mode="bilinear", padding_mode="border", align_corners=False
    )
    return warped.to(pictures.dtype)
