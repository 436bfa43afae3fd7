"""Fusion methods behind one interface: the interface, its registry, and methods without training.

The methods themselves (`baselines.gdc`, `baselines.mertens`, ...) are imported only when asked for.
"""

from baselines.bracket import Bracket, CameraResponse
from baselines.check import CheckResult, check_method
from baselines.checkpoint import from_checkpoint
from baselines.configurations import configuration, from_configuration
from baselines.method import (
    Method,
    MethodError,
    MethodInfo,
    PublishedFigure,
    SizeRule,
    WeightsError,
    WeightsMissingError,
)
from baselines.registry import available, resolve

__all__ = [
    "Bracket",
    "CameraResponse",
    "CheckResult",
    "Method",
    "MethodError",
    "MethodInfo",
    "PublishedFigure",
    "SizeRule",
    "WeightsError",
    "WeightsMissingError",
    "available",
    "check_method",
    "configuration",
    "from_checkpoint",
    "from_configuration",
    "resolve",
]
