"""GDC: gradient-directed composition of exposures (Zhang and Cham, 2010)."""

from baselines.gdc.composition import gradient_directed_composition
from baselines.gdc.method import GDC

__all__ = ["GDC", "gradient_directed_composition"]
