"""Work on many inputs at once: in processes of this machine, or on a cluster's workers."""

from dmef_bench.work.cluster import Cluster, ClusterLostError, connected
from dmef_bench.work.on_worker import UnfitWorkerError
from dmef_bench.work.outcome import Broken, Done, Inputs
from dmef_bench.work.pool import each_in_a_process, prepare

__all__ = [
    "Broken",
    "Cluster",
    "ClusterLostError",
    "Done",
    "Inputs",
    "UnfitWorkerError",
    "connected",
    "each_in_a_process",
    "prepare",
]
