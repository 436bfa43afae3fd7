"""What thop counts, and the networks and sizes whose counts the IPL paper's Table 1 prints."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from baselines.ahdrnet import AHDRNet
from baselines.bracketire import TMRNet
from baselines.configurations import from_configuration
from baselines.fshdr import BridgeNet
from baselines.hdr_transformer import HDRTransformer
from baselines.hdr_transformer.network import LocalContextExtractor
from baselines.sctnet import SCTNet
from baselines.window_attention import WindowAttention

# In the authors' code SCTNet's channel attention normalises by a class of its own, which thop
# does not know.
_UNKNOWN_TO_THOP: Final = ("norm1_x.body", "norm1_y.body")


@dataclass(frozen=True)
class CountedNetwork:
    """A learned method as the IPL paper counted it, and as its authors publish it.

    Attributes:
        method: its name on the command line.
        size: (height, width) the paper's MACs belong to.
        exact: whether `counted` and `size` are known to give the printed figures.
    """

    method: str
    size: tuple[int, int]
    exact: bool = True

    def counted(self) -> nn.Module:
        """The network whose counts Table 1 prints, or the nearest to it."""
        return from_configuration(self.method, "ipl_table1")

    def official(self) -> nn.Module:
        """The authors' network."""
        return from_configuration(self.method, "official")


TABLE_1_NETWORKS: Final = (
    CountedNetwork("ahdrnet", (256, 512)),
    CountedNetwork("fshdr", (512, 1024)),
    CountedNetwork("hdr-transformer", (200, 400)),
    CountedNetwork("sctnet", (200, 400)),
    CountedNetwork("bracketire", (1024, 1024), exact=False),
)
"""The learned methods of Table 1 but IPL, in its order."""


def on_meta(build: Callable[[], nn.Module]) -> nn.Module:
    """A network without values, so that counting it costs neither memory nor arithmetic."""
    with torch.device("meta"):
        return build().eval()


def inputs_of_size(network: nn.Module, height: int, width: int) -> tuple[Tensor, ...]:
    """What the network's `forward` takes for one scene of a size, without values."""

    def empty(*shape: int) -> Tensor:
        return torch.empty(*shape, height, width, device="meta")

    match network:
        case TMRNet():
            return (empty(1, network.config.frames, network.config.channels),)
        case BridgeNet():
            return (empty(1, 3 * network.config.inputs),)
        case AHDRNet() | HDRTransformer() | SCTNet():
            return tuple(empty(1, network.config.inputs) for _ in range(3))
    raise ValueError(f"{type(network).__name__} is none of the learned baselines' networks")


def thop_counts(network: nn.Module, *inputs: Tensor) -> tuple[int, int]:
    """MACs and parameters as thop 0.1.1 counts them in the authors' code.

    It adds up what it knows of the layers that run: convolutions and linear layers without their
    biases, 4 operations a value that a layer norm takes, 3n - 1 a softmax over n, and one a value
    of a global mean. It knows nothing of matrix products, nor of parameters that sit outside of
    such layers (relative-position tables, temperatures, `learn_para`, deformable convolutions).

    Args:
        network: one of the five learned baselines' networks.
        inputs: of its `forward`.

    Returns:
        MACs, parameters.
    """
    macs = 0
    seen: set[nn.Module] = set()

    def count(layer: nn.Module, given: tuple[Tensor, ...], result: Tensor) -> None:
        nonlocal macs
        macs += _operations(layer, given[0], result)
        seen.add(layer)

    with _watched(network, count), torch.no_grad():
        network(*inputs)
    leaves = (layer for layer in seen if isinstance(layer, nn.Conv2d | nn.Linear | nn.LayerNorm))
    return macs, sum(parameter.numel() for leaf in leaves for parameter in leaf.parameters())


def _operations(layer: nn.Module, given: Tensor, result: Tensor) -> int:
    match layer:
        case nn.Conv2d():
            return result.numel() * layer.weight[0].numel()
        case nn.Linear():
            return result.numel() * layer.in_features
        case nn.LayerNorm():
            return 4 * given.numel()
        case WindowAttention():
            pixels = layer.window**2
            rows = given.numel() // given.shape[-1] * layer.heads
            return rows * (3 * pixels - 1)
        case LocalContextExtractor():
            batch, channels, height, width = given.shape
            return batch * channels * (height * width + 1)
    return 0


@contextmanager
def _watched(
    network: nn.Module, count: Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]
) -> Iterator[None]:
    hooks = [
        layer.register_forward_hook(count)
        for name, layer in network.named_modules()
        if not name.endswith(_UNKNOWN_TO_THOP)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
