"""The state of a training run in one safetensors file: whole or absent, and no pickle."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from dmef_bench.atomic_write import atomic_write
from dmef_bench.errors import IntegrityError, UsageError
from dmef_bench.training.settings import defaults
from dmef_bench.training.tensor_file import tensor_file

FORMAT = "dmef-bench-checkpoint/1"


@dataclass
class TrainingState:
    """Everything that changes while training.

    Attributes:
        network: being trained.
        average: exponential moving average of its state, by name.
        optimiser: AdamW (or another whose state is tensors by parameter).
        scaler: of the loss, at work in fp16 alone.
        step: steps done.
        skipped: how many of the last ones in a row left the weights alone, as fp16 overflowed.
    """

    network: nn.Module
    average: dict[str, Tensor]
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    step: int = 0
    skipped: int = 0


def save_checkpoint(path: Path, state: TrainingState, settings: dict[str, Any]) -> None:
    """Write the state atomically, with the settings it belongs to.

    Raises:
        MissingError: the disk is full or the folder is read-only.
    """
    tensors = {f"network.{name}": value for name, value in state.network.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in state.average.items()}
    for index, values in state.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in values.items()}
    metadata = {"format": FORMAT, "step": str(state.step), "settings": json.dumps(settings)}
    if state.scaler.is_enabled():
        metadata |= {
            "scaler": json.dumps(state.scaler.state_dict()), "skipped": str(state.skipped)
        }  # fmt: skip
    atomic_write(path, tensor_file(tensors, metadata))


def load_checkpoint(path: Path, state: TrainingState, settings: dict[str, Any]) -> None:
    """Fill `state` from a checkpoint made with the same settings.

    Raises:
        IntegrityError: the file is damaged or no checkpoint.
        UsageError: it belongs to a run with other settings; the message shows the difference.
    """
    try:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise IntegrityError(f"{path}: the checkpoint can't be read ({error})") from None
    if metadata.get("format") != FORMAT:
        raise IntegrityError(f"{path}: no checkpoint of this version of dmef-bench train")
    _refuse_other_settings(path, json.loads(metadata["settings"]), settings)
    groups: dict[str, dict[str, Tensor]] = {"network": {}, "average": {}, "optimiser": {}}
    for name, value in tensors.items():
        kind, rest = name.split(".", 1)
        groups[kind][rest] = value
    state.network.load_state_dict(groups["network"])
    for name, value in groups["average"].items():
        state.average[name].copy_(value)
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in groups["optimiser"].items():
        index, key = name.split(".", 1)
        moments.setdefault(int(index), {})[key] = value
    current = state.optimiser.state_dict()
    state.optimiser.load_state_dict({"state": moments, "param_groups": current["param_groups"]})
    state.step = int(metadata["step"])
    if state.scaler.is_enabled():
        state.scaler.load_state_dict(json.loads(metadata["scaler"]))
        state.skipped = int(metadata["skipped"])


def _refuse_other_settings(path: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """What an older version did not record was as the defaults are."""
    found, wanted = (json.loads(json.dumps(one)) for one in (defaults() | found, wanted))
    different = [
        f"{name}: {found.get(name)!r} there, {wanted.get(name)!r} now"
        for name in sorted({*found, *wanted})
        if found.get(name) != wanted.get(name)
    ]
    if different:
        raise UsageError(
            f"{path.parent} holds a run with other settings ({'; '.join(different)}). "
            "Use the same settings to go on with it, another folder, or --overwrite."
        )
