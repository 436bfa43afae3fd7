"""SCTNet (ICCV 2023)."""

from baselines.sctnet.network import SCTNet, SCTNetConfig

__all__ = ["SCTNet", "SCTNetConfig"]
