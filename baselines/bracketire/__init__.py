"""BracketIRE (ICLR 2025): its network, TMRNet."""

from baselines.bracketire.network import SMALL_RGB, TMRNet, TMRNetConfig

__all__ = ["SMALL_RGB", "TMRNet", "TMRNetConfig"]
