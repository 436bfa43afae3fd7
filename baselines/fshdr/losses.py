"""What FSHDR's stages minimise.

Source: Prabhakar et al., "Labeled from Unlabeled: Exploiting Unlabeled Data for Few-shot Deep HDR
Deghosting", CVPR 2021, and the schedule of its authors' training script.
"""

import math
from typing import Final

from torch import Tensor

from baselines.bracket import Bracket
from baselines.conventions import GAMMA, precise
from baselines.fshdr.exposing import exposed

_MU: Final = 5000.0
_DARKEST: Final = 1e-10
# The authors' run: 75 epochs, the weight one step higher at the start of every tenth.
_EPOCHS: Final = 75
_RISE_EVERY: Final = 10
_START, _RISE = 0.5, 0.1


def tone_mapped_error(picture: Tensor, truth: Tensor) -> Tensor:
    """Mean squared error of linear light, both compressed by the μ-law with μ = 5000.

    Args:
        picture: (B, 3, H, W), display-referred; light is its power of 2.2.
        truth: the same in [0, 1].

    Returns:
        A scalar.
    """
    return (_compressed(picture) - _compressed(truth)).square().mean()


def self_consistency(picture: Tensor, bracket: Bracket) -> Tensor:
    """Mean squared error between the mid exposure and the prediction exposed like it.

    Needs no ground truth: the reference has its geometry and, where it does not clip, its light.

    Args:
        picture: (B, 3, H, W), display-referred, at EV 0.
        bracket: what it was fused from.

    Returns:
        A scalar.
    """
    return (exposed(picture, bracket.evs[1], bracket) - bracket.reference).square().mean()


def consistency_weight(progress: float) -> float:
    """α of stage S1: 0.5 at the start, 0.1 more after every ten of 75 epochs.

    Args:
        progress: share of the run that is done, in [0, 1].
    """
    epoch = math.floor(progress * _EPOCHS)
    return _START + _RISE * ((epoch + 1) // _RISE_EVERY)


def _compressed(picture: Tensor) -> Tensor:
    light = precise(picture).clamp(0, 1).pow(GAMMA).clamp(min=_DARKEST)
    return (1 + _MU * light).log() / math.log1p(_MU)
