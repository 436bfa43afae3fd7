"""How a set of weights was trained to be fed, and what its network's numbers mean."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Final, Literal, get_args

import torch
from torch import Tensor

from baselines.bracket import Bracket
from baselines.brightness import at_exposure_ratio
from baselines.method import MethodError

GAMMA: Final = 2.2

ZeroEV = Literal["ground-truth", "low"]
Linear = Literal["gamma", "response"]
Output = Literal["display", "linear"]


@dataclass(frozen=True)
class Conventions:
    """What belongs to weights beside their tensors; kept in the metadata of a safetensors file.

    The defaults are for weights trained on brackets whose ground truth is a display-referred
    picture in [0, 1].

    Attributes:
        zero_ev: the exposure whose linear values are in [0, 1]. "ground-truth" counts EVs as a
            bracket gives them; "low" counts them from the darkest exposure, as the authors'
            data sets do (EV 0, 2, 4).
        linear: how exposures become linear light: "gamma", LDR^2.2 / 2^EV; or "response",
            brought to EV 0 by the bracket's known camera response, then ^2.2.
        output: "display", the network predicts the ground truth itself; or "linear", it predicts
            linear light, which is divided by 2^(EV of zero_ev), clipped and brought to ^(1/2.2).
        flow_aligned: FSHDR only: outer exposures are aligned by optical flow first.
    """

    zero_ev: ZeroEV = "ground-truth"
    linear: Linear = "gamma"
    output: Output = "display"
    flow_aligned: bool = True

    def __post_init__(self) -> None:
        for name, kind in (("zero_ev", ZeroEV), ("linear", Linear), ("output", Output)):
            if (value := getattr(self, name)) not in get_args(kind):
                raise ValueError(f"{name} is {value!r}, not one of {', '.join(get_args(kind))}")
        if not isinstance(self.flow_aligned, bool):
            raise ValueError(f"flow_aligned is {self.flow_aligned!r}, neither true nor false")

    def to_json(self) -> str:
        """Text for a weights file's metadata, under "conventions"."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Conventions":
        """The conventions `to_json` wrote.

        Raises:
            ValueError: no JSON object, an unknown field or value.
        """
        fields = json.loads(text)
        if not isinstance(fields, dict):
            raise ValueError("is no JSON object")
        try:
            return cls(**fields)
        except TypeError as error:
            raise ValueError(str(error)) from None


AUTHORS: Final = Conventions(zero_ev="low", output="linear")
"""The authors' own checkpoints: EVs from the darkest exposure, linear light out."""


def at_ev(images: Tensor, taken: float, wanted: float, bracket: Bracket, how: Linear) -> Tensor:
    """Pictures of one EV as they would be at another, display-referred, not clipped above.

    Args:
        images: floating point in [0, 1].
        taken: their EV.
        wanted: the other EV.
        bracket: where the camera response comes from.
        how: see `Conventions.linear`.

    Raises:
        MethodError: the response is asked for and not known.
    """
    if how == "gamma":
        return images * math.exp2((wanted - taken) / GAMMA)
    if bracket.response is None:
        raise MethodError(
            "these weights want pictures linearised by the camera response the bracket was made "
            "with; take a bracket that has it, or weights that do without"
        )
    return at_exposure_ratio(images, bracket.response, math.exp2(wanted - taken))


def linear_exposures(bracket: Bracket, conventions: Conventions) -> Tensor:
    """The three exposures in linear light, all at one exposure.

    Returns:
        (B, 3, 3, H, W) float32 (float64 for such a bracket), at least 0.

    Raises:
        MethodError: the response is asked for and not known.
    """
    images = precise(bracket.images)
    at_truth = [
        at_ev(images[:, index], ev, 0.0, bracket, conventions.linear)
        for index, ev in enumerate(bracket.evs)
    ]
    return torch.stack(at_truth, 1).pow(GAMMA) * math.exp2(zero_ev(bracket, conventions))


def in_dataset_space(output: Tensor, bracket: Bracket, conventions: Conventions) -> Tensor:
    """A network's output as the picture a ground truth is: display-referred, at EV 0.

    Args:
        output: (B, 3, H, W) RGB.
        bracket: what it was made from.
        conventions: of the weights.

    Returns:
        (B, 3, H, W), not clipped where the network predicts it directly.
    """
    if conventions.output == "display":
        return output
    light = precise(output) * math.exp2(-zero_ev(bracket, conventions))
    return light.clamp(0, 1).pow(1 / GAMMA)


def zero_ev(bracket: Bracket, conventions: Conventions) -> float:
    """The EV, relative to the ground truth, that the network's linear values are counted from."""
    return bracket.evs[0] if conventions.zero_ev == "low" else 0.0


def precise(x: Tensor) -> Tensor:
    """In float32 at least: powers of half precision values lose what dark pixels hold."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
