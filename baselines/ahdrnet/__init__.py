"""AHDRNet (CVPR 2019)."""

from baselines.ahdrnet.network import AHDRNet, AHDRNetConfig

__all__ = ["AHDRNet", "AHDRNetConfig"]
