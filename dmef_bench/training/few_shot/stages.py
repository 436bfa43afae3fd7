"""The recipes of FSHDR's stages S1 and S2.

Source: Prabhakar et al., "Labeled from Unlabeled: Exploiting Unlabeled Data for Few-shot Deep HDR
Deghosting", CVPR 2021; docs/baselines.md says what was read into it.
"""

import dataclasses
from pathlib import Path
from typing import Final, Literal

import torch
from torch import Tensor, nn

from baselines import Bracket, MethodError
from baselines.conventions import Conventions
from baselines.fshdr import BridgeNetConfig
from baselines.fshdr.losses import consistency_weight, self_consistency, tone_mapped_error
from baselines.fshdr.method import FSHDRMethod
from baselines.fshdr.synthesis import pseudo_bracket
from dmef_bench.errors import UsageError
from dmef_bench.training.baseline_recipes import TrainedBaseline
from dmef_bench.training.recipes import Loss, Recipe

Stage = Literal["s1", "s2"]

_BASELINE: Final = TrainedBaseline(FSHDRMethod, BridgeNetConfig())
_AS_SYNTHESISED: Final = dataclasses.replace(_BASELINE.conventions, flow_aligned=False)


def stage_one(labelled: int) -> Recipe:
    """S1: the μ-law error of labelled samples, α times the self-consistency of unlabelled ones.

    Args:
        labelled: as the `FewShotSource` has it; with 0 self-consistency is all there is.
    """

    def loss(network: nn.Module, bracket: Bracket, target: Tensor, progress: float) -> Tensor:
        picture = _BASELINE.predict(network, bracket)
        if not labelled:
            return self_consistency(picture, bracket)
        supervised = tone_mapped_error(picture[0::2], target[0::2])
        consistency = self_consistency(picture[1::2], _every_other(bracket, 1))
        return supervised + consistency_weight(progress) * consistency

    name = "MSE of μ-law, and α times self-consistency" if labelled else "self-consistency"
    return _recipe(Loss(name, loss), {"stage": "s1"}, {"stages": "S1"})


def stage_two(labelled: int, first: Path) -> Recipe:
    """S2: the μ-law error of labelled samples and of pseudo pairs made of unlabelled ones.

    A pseudo pair is what S1's network predicts of an unlabelled bracket, and a bracket synthesised
    of this with the scene's own motion. It is fed as it was synthesised, without alignment.

    Args:
        labelled: as the `FewShotSource` has it; with 0 pseudo pairs are all there is.
        first: weights of stage S1.

    Raises:
        UsageError: they are not.
    """
    teacher, conventions, sha256 = _teacher(first)

    def loss(network: nn.Module, bracket: Bracket, target: Tensor, progress: float) -> Tensor:
        given = _every_other(bracket, 1) if labelled else bracket
        with torch.no_grad():
            guide = teacher.to(given.images.device)
            truth = FSHDRMethod.infer(guide, given, conventions).clamp(0, 1)
            synthesised = pseudo_bracket(truth, given, conventions)
        picture = FSHDRMethod.infer(network, synthesised, _AS_SYNTHESISED)
        if labelled:
            supervised = _BASELINE.predict(network, _every_other(bracket, 0))
            picture = torch.cat((supervised, picture))
            truth = torch.cat((target[0::2], truth))
        return tone_mapped_error(picture, truth)

    facts = {"stage": "s2", "stage_one_sha256": sha256}
    return _recipe(
        Loss("MSE of μ-law, pseudo pairs among the samples", loss),
        facts,
        {"stages": "S1,S2", "stage_one_sha256": sha256},
    )


def _recipe(loss: Loss, facts: dict[str, str], stated: dict[str, str]) -> Recipe:
    def metadata(network: nn.Module) -> dict[str, str]:
        return _BASELINE.metadata(network) | stated

    return Recipe(_BASELINE.name, _BASELINE.build, _BASELINE.predict, metadata, loss, facts)


def _teacher(path: Path) -> tuple[nn.Module, Conventions, str]:
    method = FSHDRMethod()
    try:
        method.load(path, torch.device("cpu"))
    except MethodError as error:
        raise UsageError(f"--stage-one {error}") from None
    network = method.network()
    stages = method.metadata.get("stages")
    if stages != "S1" or network is None or method.weights_sha256 is None:
        raise UsageError(
            f"--stage-one {path}: not weights of stage S1; make some with "
            "`dmef-bench train --method fshdr --stage s1`"
        )
    return network.eval().requires_grad_(False), method.conventions, method.weights_sha256


def _every_other(bracket: Bracket, first: int) -> Bracket:
    return bracket.map(lambda images: images[first::2])
