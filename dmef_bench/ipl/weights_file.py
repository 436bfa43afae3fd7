"""Weights of IPL on disk: tensors, and as metadata the configuration and how it was trained."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from baselines.checkpoint_file import CheckpointFile, read_checkpoint_file
from baselines.method import WeightsError
from dmef_bench.ipl.config import IPLConfig
from dmef_bench.ipl.model import IPL

Network = TypeVar("Network", bound=nn.Module)

SHIPPED = Path(__file__).parent / "weights" / "ipl.safetensors"


def network_metadata(network: IPL) -> dict[str, str]:
    """What `load_network` needs to build the same network again."""
    return {"method": "ipl", "config": network.config.to_json()}


def load_network(path: Path) -> tuple[IPL, str]:
    """The IPL a weights file was made for, and the file's SHA-256; see `load_strictly`."""
    network, read = load_strictly(path, "ipl", build_ipl)
    return network, read.sha256


def build_ipl(config: str) -> IPL:
    """An IPL of a stored configuration.

    Raises:
        ValueError: it can't be used.
    """
    return IPL(IPLConfig.from_json(config))


def load_strictly(
    path: Path, method: str, build: Callable[[str], Network]
) -> tuple[Network, CheckpointFile]:
    """Build the network a weights file was made for and fill it; 16-bit weights become float32.

    Args:
        path: `.safetensors`, or `.pth` holding a bare state dict or one under `state_dict` (read
            without running code), then with the default configuration.
        method: the name the file must have been made for, if it names one.
        build: the configuration as stored, JSON, to a network.

    Returns:
        The network on the CPU, and the file it is from.

    Raises:
        WeightsError: missing, unreadable, another method's, or tensors that don't fit.
    """
    read = read_checkpoint_file(path)
    made_for = read.metadata.get("method", method)
    if made_for != method:
        raise WeightsError(f"{path}: these are weights of {made_for!r}, not of {method!r}")
    try:
        network = build(read.metadata.get("config", "{}"))
    except (ValueError, TypeError) as error:
        raise WeightsError(f"{path}: its stored configuration can't be used: {error}") from None
    fill(network, path, read.content)
    return network, read


def fill(network: nn.Module, path: Path, content: object) -> None:
    """Give a network the tensors of a file, all of them and no others.

    Args:
        network: to fill.
        path: the file, for what is said of it.
        content: what it holds: a bare state dict or one under `state_dict`.

    Raises:
        WeightsError: tensors that don't fit or aren't finite; the network is as it was.
    """
    tensors = _state_dict(path, content)
    wanted = {name: tensor.shape for name, tensor in network.state_dict().items()}
    _check_fit(path, type(network).__name__, wanted, tensors)
    network.load_state_dict(tensors)


def _state_dict(path: Path, content: object) -> dict[str, Tensor]:
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    ):
        raise WeightsError(f"{path}: holds no state dict")
    return {name.removeprefix("module."): tensor for name, tensor in content.items()}


def _check_fit(
    path: Path, network: str, wanted: dict[str, torch.Size], found: dict[str, Tensor]
) -> None:
    differences = [f"{name} is missing" for name in wanted if name not in found]
    differences += [f"{name} is not part of {network}" for name in found if name not in wanted]
    differences += [
        f"{name} is {tuple(found[name].shape)} instead of {tuple(shape)}"
        for name, shape in wanted.items()
        if name in found and found[name].shape != shape
    ]
    if not differences:
        bad = [name for name, tensor in found.items() if not bool(torch.isfinite(tensor).all())]
        differences = [f"{name} holds NaN or infinity" for name in bad]
    if differences:
        more = f" and {len(differences) - 3} more" if len(differences) > 3 else ""
        raise WeightsError(f"{path}: does not fit {network}: {'; '.join(differences[:3])}{more}")
