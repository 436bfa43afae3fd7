"""The learned methods' networks in sizes that have a name: `official` and `ipl_table1`."""

import importlib
from collections.abc import Mapping
from typing import Any, Final, Protocol, cast

from torch import nn

from baselines.method import MethodError

_NETWORKS: Final = {
    "ahdrnet": "baselines.ahdrnet.network:AHDRNet",
    "fshdr": "baselines.fshdr.network:BridgeNet",
    "hdr-transformer": "baselines.hdr_transformer.network:HDRTransformer",
    "sctnet": "baselines.sctnet.network:SCTNet",
    "bracketire": "baselines.bracketire.network:TMRNet",
    "safnet": "baselines.safnet.network:SAFNet",
    "meflut": "baselines.meflut.network:MEFLUT",
}


class _Network(Protocol):
    configurations: Mapping[str, Any]

    def __call__(self, config: Any = None) -> nn.Module: ...  # noqa: ANN401


def configuration(method: str, name: str) -> Any:  # noqa: ANN401 - each network has its own config
    """The sizes of a method's network that `name` stands for.

    Args:
        method: its name on the command line.
        name: `official`, the authors' own sizes; `ipl_table1`, those whose parameters and MACs the
            IPL paper's Table 1 prints, or the nearest to them that is known; of bracketire also
            `official_rgb`, the authors' widths and depths for three RGB exposures.

    Returns:
        A dataclass that the network's class takes.

    Raises:
        MethodError: no such method or name; the message lists those there are.
    """
    return _named(method, name)[1]


def from_configuration(method: str, name: str) -> nn.Module:
    """A method's network in sizes that have a name, with weights from torch's random state.

    Args:
        method: its name on the command line.
        name: see `configuration`.

    Raises:
        MethodError: no such method or name; the message lists those there are.
    """
    network, config = _named(method, name)
    return network(config)


def _named(method: str, name: str) -> tuple[_Network, Any]:
    if method not in _NETWORKS:
        raise MethodError(
            f"{method!r} has no named configurations; these have: {', '.join(_NETWORKS)}"
        )
    module, attribute = _NETWORKS[method].split(":")
    network = cast(_Network, getattr(importlib.import_module(module), attribute))
    if name not in network.configurations:
        raise MethodError(
            f"{method} has no configuration {name!r}; it has {', '.join(network.configurations)}"
        )
    return network, network.configurations[name]
