"""SAFNet (ECCV 2024)."""

from baselines.safnet.network import SAFNet, SAFNetConfig

__all__ = ["SAFNet", "SAFNetConfig"]
