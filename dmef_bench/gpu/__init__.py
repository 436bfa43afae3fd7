"""What networks written as Triton kernels share: arithmetic, and replaying captured launches."""
