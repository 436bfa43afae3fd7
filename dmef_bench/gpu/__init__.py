"""What networks written as Triton kernels share: arithmetic, padding, replaying of launches."""
