"""FSHDR's pseudo pairs: a prediction as ground truth, and a bracket whose motion is a real one's.

Source: Prabhakar et al., "Labeled from Unlabeled: Exploiting Unlabeled Data for Few-shot Deep HDR
Deghosting", CVPR 2021.
"""

import torch
from torch import Tensor

from baselines.bracket import Bracket
from baselines.conventions import Conventions, at_ev, precise
from baselines.fshdr.alignment import along, flow_between
from baselines.fshdr.exposing import exposed


def pseudo_bracket(picture: Tensor, bracket: Bracket, conventions: Conventions) -> Bracket:
    """The bracket of which `picture` is the ground truth, moving as the scene it was fused from.

    The picture is warped to the moment of each outer exposure by the reverse flow, which says
    where the pixels of the outer exposure lie in the reference, and exposed as that one was. What
    lies outside of the picture is filled with the new mid exposure, brought to the outer one's.

    Args:
        picture: (B, 3, H, W), display-referred, at EV 0; what was fused from `bracket`.
        bracket: a real one, at least 12×12 pixels.
        conventions: how exposures are matched for the flow and the filling.

    Returns:
        Images rounded to 8 bit, as a real bracket's are, without gradient; EVs and response of
        `bracket`.
    """
    truth = precise(picture.detach()).clamp(0, 1)
    middle = exposed(truth, bracket.evs[1], bracket)
    exposures = [middle, middle, middle]
    for index in (0, 2):
        ev = bracket.evs[index]
        flow = flow_between(bracket, index, 1, conventions).to(truth)
        moved, inside = along(truth, flow)
        filling = at_ev(middle, bracket.evs[1], ev, bracket, conventions.linear).clamp(0, 1)
        exposures[index] = torch.where(inside, exposed(moved, ev, bracket), filling)
    images = torch.stack(exposures, 1).mul(255).round().div(255)
    return bracket.map(lambda given: images.to(given))
