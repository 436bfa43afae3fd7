"""The dataset and benchmark for 4K dynamic multi-exposure image fusion."""

__version__ = "0.1.0"

__all__ = ["__version__"]
