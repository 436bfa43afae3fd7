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
    brighter = max(ev, reference_ev)

    def brought(images: Tensor, taken: float, wanted: float) -> Tensor:
        return at_ev(images, taken, wanted, bracket, conventions.linear).clamp(0, 1)

    flow = torch.from_numpy(
        _flow(brought(reference, reference_ev, brighter), brought(other, ev, brighter))
    ).to(other)
    height, width = other.shape[-2:]
    positions = pixel_grid(height, width, other) + flow
    last = positions.new_tensor((width - 1, height - 1))
    inside = ((positions >= 0) & (positions <= last)).all(-1)[:, None]
    return torch.where(inside, sample(other, positions), brought(reference, reference_ev, ev))


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
