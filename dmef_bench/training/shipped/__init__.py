"""Weights that come with the package: what they state, how good they are, and their model cards."""

from dmef_bench.training.shipped.figures import TOLERANCE, measure
from dmef_bench.training.shipped.record import FORMAT, FigureSet, ShippedRecord, TrackFigures
from dmef_bench.training.shipped.weights import ShippedWeights, read_weights, shipped_weights

__all__ = [
    "FORMAT",
    "TOLERANCE",
    "FigureSet",
    "ShippedRecord",
    "ShippedWeights",
    "TrackFigures",
    "measure",
    "read_weights",
    "shipped_weights",
]
