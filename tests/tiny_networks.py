"""Each learned method's network in its smallest useful size, drawn from a seed."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from baselines import Method
from baselines.ahdrnet import AHDRNet, AHDRNetConfig
from baselines.bracketire import TMRNet, TMRNetConfig
from baselines.conventions import Conventions
from baselines.fshdr import BridgeNet, BridgeNetConfig
from baselines.hdr_transformer import HDRTransformer, HDRTransformerConfig
from baselines.safnet import SAFNet, SAFNetConfig
from baselines.sctnet import SCTNet, SCTNetConfig

LEARNED = ("ahdrnet", "fshdr", "hdr-transformer", "sctnet", "bracketire", "safnet")


def tiny_network(name: str, inputs: int = 6, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    network: nn.Module
    match name:
        case "ahdrnet":
            network = AHDRNet(AHDRNetConfig(inputs, features=4, growth=2, dense_layers=1))
        case "fshdr":
            network = BridgeNet(BridgeNetConfig(inputs, features=4))
        case "hdr-transformer":
            config = HDRTransformerConfig(inputs, 12, depths=(2,), heads=(2,), reduction=4)
            network = HDRTransformer(config)
        case "sctnet":
            network = SCTNet(SCTNetConfig(inputs, 12, (2,), (2,), channel_heads=2))
        case "safnet":
            network = SAFNet(SAFNetConfig(features=4, refine_features=8))
        case _:
            network = TMRNet(TMRNetConfig(3, 3, 4, blocks=(1, 1, 1, 1), flow=False, groups=2))
    return network.eval()


def without_shipped_weights(method: type[Method], folder: Path) -> type[Method]:
    """The learned method as it were if its shipped weights lay in that folder, or nowhere."""
    return type(method.__name__, (method,), {"weights_folder": folder})


def write_weights(
    path: Path, network: nn.Module, name: str | None = None, conventions: Conventions | None = None
) -> Path:
    """Safetensors as a training leaves them; without a name and conventions as an author would."""
    metadata = {} if name is None else {"method": name}
    if conventions is not None:
        metadata["conventions"] = conventions.to_json()
    save_file(dict(network.state_dict()), path, metadata)
    return path
