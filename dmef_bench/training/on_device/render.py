"""The frames of a batch of moving scenes."""

import torch
from torch import Tensor

from dmef_bench.training.on_device.draw import Motion, Things
from dmef_bench.training.on_device.pool import TIMES, Layer, PicturePool
from dmef_bench.training.photograph_motion import RADIUS, WAVES


def render(pool: PicturePool, motion: Motion, side: int) -> Tensor:
    """The frames that a batch's cameras see.

    Nothing here is a matrix product, whose precision a training may have lowered.

    Args:
        pool: the pictures.
        motion: what is seen of them.
        side: of the square frames in pixels, the one `motion` was drawn for.

    Returns:
        (B, times, 3, side, side) uint8 on the pool's device.
    """
    samples = len(motion.picture)
    x, y = _oriented(motion.orientation, side, pool.device)
    camera, origin = _there(motion.camera, pool), _there(motion.origin, pool)
    a, b, c, d = (camera[..., row, column, None] for row in (0, 1) for column in (0, 1))
    picture = motion.picture[:, None].expand(-1, TIMES)
    times = torch.arange(TIMES).expand(samples, -1)
    layer = pool.layer(picture, times, motion.shrink[:, None].expand(-1, TIMES)).over(1)
    seen = pool.sample(
        layer,
        a * x[:, None] + b * y[:, None] + origin[..., 0, None],
        c * x[:, None] + d * y[:, None] + origin[..., 1, None],
    )
    _paint(seen, motion.things, motion.picture, pool, x, y)
    values = seen.round_().to(torch.uint8).flatten(1)
    tones = motion.tones.to(pool.device)
    toned = tones.gather(1, values.long()).view(samples, TIMES, side, side, 3)
    channels = motion.channels.to(pool.device)[:, None, None, None]
    return toned.gather(-1, channels.expand_as(toned)).movedim(-1, 2).contiguous()


def _there(values: Tensor, pool: PicturePool) -> Tensor:
    return values.float().to(pool.device)


def _oriented(orientation: Tensor, side: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """(B, side · side) x and y of every pixel from the frame's centre, turned and mirrored."""
    line = torch.arange(side, device=device, dtype=torch.float32) - (side - 1) / 2
    down, right = (axis.reshape(-1) for axis in torch.meshgrid(line, line, indexing="ij"))
    turn = orientation.float().to(device)
    a, b, c, d = (turn[:, row, column, None] for row in (0, 1) for column in (0, 1))
    return a * right + b * down, c * right + d * down


def _paint(
    seen: Tensor, things: Things, picture: Tensor, pool: PicturePool, x: Tensor, y: Tensor
) -> None:
    """Blend the objects into (B, times, side · side, 3), where they are."""
    samples, times, pixels = seen.shape[:3]
    centres, texture = _there(things.centres, pool), _there(things.texture, pool)
    halves, softness = _there(things.side, pool) / 2, _there(things.softness, pool)
    waves, shrinks = _there(things.waves, pool), _there(things.shrink, pool)
    canvas = seen.view(samples * times * pixels, 3)
    for number in range(things.side.shape[1]):
        layer = pool.layer(picture, torch.ones_like(picture), things.shrink[:, number])
        right = x[:, None] - centres[:, number, :, :1]
        down = y[:, None] - centres[:, number, :, 1:]
        half = halves[:, number, None, None]
        within = (right.abs() < half) & (down.abs() < half)
        # Objects cover a small part of the frames: only that part is worked on.
        place = within.view(-1).nonzero().squeeze(-1)
        sample = place // (times * pixels)
        right, down = right.reshape(-1)[place], down.reshape(-1)[place]
        half = halves[sample, number]
        inside = _outline(right, down, waves[sample, number]) - torch.hypot(right, down) / half
        cover = (inside / softness[sample, number] + 0.5).clamp(0, 1)[:, None]
        shrink, centre = shrinks[sample, number], texture[sample, number]
        colour = _texture(pool, layer.each(sample), right, down, shrink, centre)
        canvas[place] = torch.lerp(canvas[place], colour, cover)


def _outline(right: Tensor, down: Tensor, waves: Tensor) -> Tensor:
    """How far an object reaches in the direction of each point, in half sides."""
    angle = torch.atan2(down, right)
    reach = torch.full_like(angle, RADIUS)
    for wave, number in enumerate(WAVES):
        reach = reach + waves[:, wave, 0] * torch.cos(number * angle + waves[:, wave, 1])
    return reach


def _texture(
    pool: PicturePool, layer: Layer, right: Tensor, down: Tensor, shrink: Tensor, centre: Tensor
) -> Tensor:
    return pool.sample(layer, centre[:, 0] + shrink * right, centre[:, 1] + shrink * down)
