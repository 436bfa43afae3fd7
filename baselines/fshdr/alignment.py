"""FSHDR's inputs: the outer exposures laid onto the reference by optical flow."""

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.bracket import Bracket
from baselines.conventions import Conventions, at_ev, precise
from baselines.sampling import pixel_grid, sample


def flow_aligned(bracket: Bracket, conventions: Conventions) -> Bracket:
    """A bracket whose outer exposures show the reference's scene at its moment.

    The darker picture of a pair is brought to the exposure of the brighter one, so that both clip
    at the same light; OpenCV's DIS finds where each reference pixel lies in the other picture;
    the other picture is warped there. A pixel that lies outside of it is filled with the
    reference, brought to the other's exposure.

    Args:
        bracket: any scenes, at least 12×12 pixels; the flow is computed on the processor.
        conventions: how pictures are brought to another exposure.

    Returns:
        The same bracket with other images, on the same device.
    """
    images = precise(bracket.images)
    middle = images[:, 1]
    aligned = [_aligned(images[:, index], middle, bracket, index, conventions) for index in (0, 2)]
    return bracket.map(lambda given: torch.stack((aligned[0], middle, aligned[1]), 1).to(given))


def _aligned(
    other: Tensor, reference: Tensor, bracket: Bracket, index: int, conventions: Conventions
) -> Tensor:
    """(B, 3, H, W): `other`, exposure number `index`, laid onto the reference."""
    ev, reference_ev = bracket.evs[index], bracket.evs[1]
    flow = flow_between(bracket, 1, index, conventions)
    filling = at_ev(reference, reference_ev, ev, bracket, conventions.linear).clamp(0, 1)
    warped, inside = along(other, flow)
    return torch.where(inside, warped, filling)


def flow_between(bracket: Bracket, start: int, end: int, conventions: Conventions) -> Tensor:
    """Where the pixels of one exposure lie in another.

    Args:
        bracket: as `flow_aligned` takes it.
        start: number of the exposure whose pixels are looked for; 1 is the reference.
        end: number of the exposure they are looked for in.
        conventions: how the darker one is brought to the exposure of the brighter.

    Returns:
        (B, H, W, 2) in pixels, column then row, float32 (float64 for such a bracket).
    """
    images = precise(bracket.images)
    brighter = max(bracket.evs[start], bracket.evs[end])
    fixed, moving = (
        at_ev(images[:, n], bracket.evs[n], brighter, bracket, conventions.linear).clamp(0, 1)
        for n in (start, end)
    )
    return torch.from_numpy(_flow(fixed, moving)).to(images)


def along(picture: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """A picture seen along a flow.

    Args:
        picture: (B, C, H, W).
        flow: (B, H, W, 2) as `flow_between` gives it.

    Returns:
        (B, C, H, W); and (B, 1, H, W), where the flow stays inside of the picture.
    """
    height, width = picture.shape[-2:]
    positions = pixel_grid(height, width, picture) + flow
    last = positions.new_tensor((width - 1, height - 1))
    inside = ((positions >= 0) & (positions <= last)).all(-1)[:, None]
    return sample(picture, positions), inside


def _flow(reference: Tensor, other: Tensor) -> NDArray[np.float32]:
    """(B, H, W, 2) in pixels, column then row: where reference pixels lie in `other`."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    pairs = zip(_grey(reference), _grey(other), strict=True)
    # OpenCV's own stubs leave out that there need be no first guess.
    return np.stack(
        [search.calc(fixed, moving, None) for fixed, moving in pairs]  # type: ignore[call-overload]
    )


def _grey(images: Tensor) -> list[NDArray[Any]]:
    pictures = (images.detach() * 255).round().to("cpu", torch.uint8).permute(0, 2, 3, 1)
    return [cv2.cvtColor(np.ascontiguousarray(one), cv2.COLOR_RGB2GRAY) for one in pictures.numpy()]
