"""IPL on a GPU, fast: Triton kernels in a CUDA graph, the same function as `IPL.forward`."""

from dmef_bench.ipl.fast.cuda.picture import can_fuse_on_cuda, covers, fuse_on_cuda
from dmef_bench.ipl.fast.cuda.traffic import Traffic, memory_traffic

__all__ = ["Traffic", "can_fuse_on_cuda", "covers", "fuse_on_cuda", "memory_traffic"]
