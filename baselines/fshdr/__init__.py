"""FSHDR (CVPR 2021): its network, BridgeNet."""

from baselines.fshdr.network import BridgeNet, BridgeNetConfig

__all__ = ["BridgeNet", "BridgeNetConfig"]
