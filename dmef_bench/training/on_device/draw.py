"""What moves how in a batch: drawn on the CPU, so that every device shows the same scenes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from dmef_bench.training.generated import TONE
from dmef_bench.training.on_device.pool import TIMES
from dmef_bench.training.photograph_motion import (
    MOST_OBJECTS,
    MOST_SHRINK,
    OBJECT_SIDES,
    RADIUS_WAVE,
    SHIFT,
    SOFTNESS,
    TURN,
    WAVES,
    ZOOM,
)

# Sides of a frame that its picture shows around it, for the camera to move in.
_ROOM = 1.25


@dataclass(frozen=True)
class Things:
    """The moving objects of B samples, K in each; float64 tensors on the CPU.

    Attributes:
        side: (B, K) in pixels of the frame; 0 for one that is not there.
        centres: (B, K, times, 2) x and y from the frame's centre.
        waves: (B, K, W, 2) amplitude and phase of each wave around the outline.
        softness: (B, K) of the edge in half sides.
        texture: (B, K, 2) x and y in the picture that lies at the object's centre.
        shrink: (B, K) pixels of the picture that become one.
    """

    side: Tensor
    centres: Tensor
    waves: Tensor
    softness: Tensor
    texture: Tensor
    shrink: Tensor


@dataclass(frozen=True)
class Motion:
    """Everything that B samples are made of but their exposures; tensors on the CPU.

    Attributes:
        picture: (B,) number in the pool.
        orientation: (B, 2, 2) what a pixel's place from the centre is multiplied with first: a
            quarter turn or none, mirrored or not.
        camera: (B, times, 2, 2) from there to the picture, less `origin`.
        origin: (B, times, 2) x and y in the picture at the frame's centre.
        shrink: (B,) pixels of the picture that become one.
        things: painted one after the other.
        tones: (B, 256) uint8: what each value becomes.
        channels: (B, 3) where each channel is taken from.
    """

    picture: Tensor
    orientation: Tensor
    camera: Tensor
    origin: Tensor
    shrink: Tensor
    things: Things
    tones: Tensor
    channels: Tensor


def draw_motion(
    sizes: Tensor, kinds: Sequence[tuple[range, bool]], first: int, samples: int, side: int,
    generator: Generator,
) -> Motion:  # fmt: skip
    """Draw the views and motions of a batch as `photograph_motion` does.

    Args:
        sizes: (pictures, 2) height and width of all pictures.
        kinds: numbers of pictures, and whether these are generated scenes; served in turn.
        first: whose turn it is.
        samples: B.
        side: of the square frames in pixels.
        generator: of the CPU; decides everything.
    """
    chance = _Chances(generator, samples)
    turns = [kinds[(first + slot) % len(kinds)] for slot in range(samples)]
    place = chance.uniform()
    counts = torch.tensor([len(numbers) for numbers, _ in turns])
    begins = torch.tensor([numbers.start for numbers, _ in turns])
    picture = begins + (place * counts).long()
    size = sizes[picture].flip(-1)

    shrink = _shrink(chance.uniform(), _ROOM * side, size)
    around = (_ROOM * side * shrink)[:, None]
    centre = around / 2 + chance.uniform(2) * (size - around).clamp_min(0)
    generated = torch.tensor([scene for _, scene in turns])[:, None]
    # The camera of a generated scene moves already.
    pace = torch.where(generated, chance.uniform(1), 1)
    velocity = pace * chance.normal(2) * SHIFT * side
    times = torch.arange(TIMES) - TIMES // 2
    angle = pace * torch.deg2rad(TURN * chance.normal(1)) * times
    scale = 1 + pace * ZOOM * chance.normal(1) * times
    cosine, sine = (angle.cos() / scale), (angle.sin() / scale)
    camera = torch.stack([cosine, -sine, sine, cosine], -1).view(samples, TIMES, 2, 2)
    camera = camera * shrink[:, None, None, None]
    moved = (velocity[:, None] * times[:, None])[..., None]
    origin = centre[:, None] - (camera @ moved).squeeze(-1)

    orders = chance.uniform(3).argsort(-1)
    return Motion(
        picture=picture,
        orientation=_orientation(chance),
        camera=camera,
        origin=origin,
        shrink=shrink,
        things=_things(chance, size, side, times),
        tones=_tones(chance.uniform()),
        channels=torch.where(generated, orders, torch.arange(3)),
    )


class _Chances:
    """Random numbers for every sample of a batch."""

    def __init__(self, generator: Generator, samples: int) -> None:
        self._generator, self._samples = generator, samples

    def uniform(self, *shape: int) -> Tensor:
        """(B, *shape) in [0, 1)."""
        size = (self._samples, *shape)
        return torch.rand(size, generator=self._generator, dtype=torch.float64)

    def normal(self, *shape: int) -> Tensor:
        """(B, *shape) with mean 0 and deviation 1."""
        size = (self._samples, *shape)
        return torch.randn(size, generator=self._generator, dtype=torch.float64)


def _shrink(chance: Tensor, side: Tensor | float, size: Tensor) -> Tensor:
    """At most what lets a square of that side fit into the picture."""
    shrink: Tensor = MOST_SHRINK**chance
    return shrink.minimum(size.amin(-1) / side)


def _orientation(chance: _Chances) -> Tensor:
    quarter = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
    turned = torch.stack([torch.linalg.matrix_power(quarter, turns) for turns in range(4)])
    mirror = torch.tensor([[1.0, -1.0], [1.0, 1.0]], dtype=torch.float64)
    turns, flip = (4 * chance.uniform()).long(), (2 * chance.uniform()).long()
    oriented: Tensor = turned[turns] * mirror[flip][:, None, :]
    return oriented


def _things(chance: _Chances, size: Tensor, side: int, times: Tensor) -> Things:
    count = (chance.uniform() * (MOST_OBJECTS + 1)).long()[:, None]
    least, most = OBJECT_SIDES
    sides = side * (least + (most - least) * chance.uniform(MOST_OBJECTS))
    centre = side * (chance.uniform(MOST_OBJECTS, 2) - 0.5)
    velocity = chance.normal(MOST_OBJECTS, 2) * 2 * SHIFT * side
    amplitude = chance.normal(MOST_OBJECTS, len(WAVES)) * RADIUS_WAVE
    phase = chance.uniform(MOST_OBJECTS, len(WAVES)) * 2 * math.pi
    soft, softest = SOFTNESS
    softness = (soft + (softest - soft) * chance.uniform(MOST_OBJECTS)) * 2 / sides
    shrink = _shrink(chance.uniform(MOST_OBJECTS), sides, size[:, None])
    extent = (sides * shrink)[..., None]
    room = (size[:, None] - extent).clamp_min(0)
    return Things(
        side=torch.where(torch.arange(MOST_OBJECTS) < count, sides, 0),
        centres=centre[:, :, None] + velocity[:, :, None] * times[:, None],
        waves=torch.stack([amplitude, phase], -1),
        softness=softness,
        texture=extent / 2 + chance.uniform(MOST_OBJECTS, 2) * room,
        shrink=shrink,
    )


def _tones(chance: Tensor) -> Tensor:
    """As `generated.tone_curve`."""
    least, most = np.log(TONE)
    power = (least + (most - least) * chance).exp()[:, None]
    toned: Tensor = torch.linspace(0, 1, 256, dtype=torch.float64) ** power
    return (255 * toned).round().to(torch.uint8)
