"""Authors' checkpoints: which network is it, with which sizes, loaded strictly."""

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from baselines.checkpoint_file import read_checkpoint_file
from baselines.method import WeightsError
from baselines.state_dict import StateDict
from baselines.window_attention import relative_position_index, without_derived

# title -> (the network's class, names that only its checkpoints have together)
_ARCHITECTURES: dict[str, tuple[str, tuple[str, ...]]] = {
    "AHDRNet": ("baselines.ahdrnet.network:AHDRNet", ("att11.weight", "RDB1.conv_1x1.weight")),
    "BridgeNet": ("baselines.fshdr.network:BridgeNet", ("s_a.0.weight", "sdc1.conv1.weight")),
    "HDR-Transformer": (
        "baselines.hdr_transformer.network:HDRTransformer",
        ("att_module_h.att1.weight", "layers.0.residual_group.blocks.0.lce.conv.0.weight"),
    ),
    "SCTNet": (
        "baselines.sctnet.network:SCTNet",
        ("channel_layers_lm.0.attn.temperature", "conv_end.weight"),
    ),
    "TMRNet": (
        "baselines.bracketire.network:TMRNet",
        ("learn_para", "backbone.backward_rec_1.main.0.weight"),
    ),
    "SAFNet": (
        "baselines.safnet.network:SAFNet",
        ("decoder.conv6.weight", "refinenet.resblock1.prelu.weight"),
    ),
    "MEFLUT": (
        "baselines.meflut.network:MEFLUT",
        ("skeleton.frw.conv.0.weight", "branch.0.conv11.weight"),
    ),
}
_WRAPPERS = ("state_dict", "params_ema", "params", "model")


class _Network(Protocol):
    @staticmethod
    def config_of(state: StateDict) -> Any: ...  # noqa: ANN401 - each network has its own config

    def __call__(self, config: Any = None) -> nn.Module: ...  # noqa: ANN401


def from_checkpoint(source: StateDict | Path | str, **overrides: object) -> nn.Module:
    """The network a checkpoint belongs to, with its weights, in evaluation mode.

    Args:
        source: a state dict, or a file: safetensors, or `.pth` read with `weights_only=True`.
            It may be wrapped ({'state_dict': ...}) and its names may start with `module.`.
        overrides: fields of the network's configuration to set instead of what its shapes say.

    Returns:
        AHDRNet, BridgeNet, HDRTransformer, SCTNet, TMRNet, SAFNet or MEFLUT; its `forward`
        takes what the authors' does (MEFLUT's: the luma of a batch of brackets).

    Raises:
        WeightsError: unreadable, would run code, no network of ours (the nearest is named with
            the names that differ), or of shapes that fit no configuration.
    """
    if isinstance(source, Mapping):
        return network_of(source, "the state dict", **overrides)
    return network_of(read_checkpoint_file(Path(source)).content, str(source), **overrides)


def network_of(content: object, label: str, **overrides: object) -> nn.Module:
    """`from_checkpoint` for what was read already; `label` names it in errors."""
    state = _unwrapped(content, label)
    title = _recognise(state, label)
    network = _class(title)
    try:
        config = network.config_of(state)
        config = replace(config, **overrides)
    except (KeyError, ValueError, ZeroDivisionError, IndexError, TypeError) as error:
        raise WeightsError(
            f"{label}: looks like {title}, but its sizes fit none: {error}"
        ) from error
    model = network(config)
    plain = without_derived(state)
    _same_tensors(plain, model, title, label)
    _check_position_index(state, label)
    _check_finite(plain, label)
    model.load_state_dict(plain, strict=True)
    return model.eval()


def _unwrapped(content: object, label: str) -> dict[str, Tensor]:
    while isinstance(content, Mapping):
        inner = next((content[key] for key in _WRAPPERS if key in content), None)
        if not isinstance(inner, Mapping):
            break
        content = inner
    if not isinstance(content, Mapping) or not content:
        raise WeightsError(f"{label}: holds no state dict")
    if not all(isinstance(key, str) and isinstance(v, Tensor) for key, v in content.items()):
        raise WeightsError(f"{label}: holds more than named tensors; give its state dict alone")
    prefix = "module."
    return {key.removeprefix(prefix): value for key, value in content.items()}


def _recognise(state: StateDict, label: str) -> str:
    for title, (_, signature) in _ARCHITECTURES.items():
        if all(key in state for key in signature):
            return title
    names = set(state)
    with torch.device("meta"):  # only names are needed
        known = {title: set(_class(title)().state_dict()) for title in _ARCHITECTURES}
    nearest = max(known, key=lambda title: len(known[title] & names) / len(known[title] | names))
    raise WeightsError(
        f"{label}: belongs to none of {', '.join(_ARCHITECTURES)}; nearest is {nearest}, "
        + _difference(names, known[nearest])
    )


def _same_tensors(state: StateDict, model: nn.Module, title: str, label: str) -> None:
    wanted = model.state_dict()
    if set(wanted) != set(state):
        difference = _difference(set(state), set(wanted))
        raise WeightsError(f"{label}: looks like {title}, but {difference}")
    for key, tensor in wanted.items():
        if tensor.shape != state[key].shape:
            raise WeightsError(
                f"{label}: looks like {title}, but {key} is {tuple(state[key].shape)} "
                f"where its other tensors ask for {tuple(tensor.shape)}"
            )


def _difference(given: set[str], wanted: set[str]) -> str:
    missing, extra = sorted(wanted - given), sorted(given - wanted)
    parts = []
    if missing:
        parts.append(f"{len(missing)} of its tensors are missing ({_few(missing, extra)})")
    if extra:
        parts.append(f"{len(extra)} are not its own ({_few(extra, missing)})")
    return " and ".join(parts)


def _few(names: list[str], others: list[str], count: int = 3) -> str:
    """The first names, those with a near namesake on the other side first."""
    near = [name for name in names[:50] if difflib.get_close_matches(name, others[:50], 1, 0.8)]
    chosen = list(dict.fromkeys([*near, *names]))[:count]
    return ", ".join(chosen) + (", ..." if len(names) > count else "")


def _check_position_index(state: StateDict, label: str) -> None:
    for key, value in state.items():
        if key.endswith("relative_position_index"):
            window = round(value.shape[0] ** 0.5)
            if not torch.equal(value.cpu(), relative_position_index(window)):
                raise WeightsError(f"{label}: {key} numbers positions in an unknown order")


def _check_finite(state: StateDict, label: str) -> None:
    for key, value in state.items():
        if not bool(torch.isfinite(value).all()):
            raise WeightsError(f"{label}: {key} holds NaN or infinity")


def _class(title: str) -> _Network:
    module, name = _ARCHITECTURES[title][0].split(":")
    return cast(_Network, getattr(importlib.import_module(module), name))
