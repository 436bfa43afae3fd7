"""IPL+ on a GPU, fast: Triton kernels in a CUDA graph, the same function as `IPLPlus.forward`."""

from dmef_bench.ipl_plus.cuda.picture import can_fuse_on_cuda, covers, fuse_on_cuda

__all__ = ["can_fuse_on_cuda", "covers", "fuse_on_cuda"]
