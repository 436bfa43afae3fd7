"""The largest input a method takes within a memory budget, found by trying in child processes."""

from dmef_bench.evaluation.max_resolution.attempt import Attempt, Outcome, ProbeRequest
from dmef_bench.evaluation.max_resolution.kept_attempts import KeptAttempts
from dmef_bench.evaluation.max_resolution.search import LARGEST_SIDE, Aspect, Probed, probe
from dmef_bench.evaluation.max_resolution.watched_child import attempt

__all__ = [
    "LARGEST_SIDE",
    "Aspect",
    "Attempt",
    "KeptAttempts",
    "Outcome",
    "ProbeRequest",
    "Probed",
    "attempt",
    "probe",
]
