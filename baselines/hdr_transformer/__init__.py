"""HDR-Transformer (ECCV 2022)."""

from baselines.hdr_transformer.network import HDRTransformer, HDRTransformerConfig

__all__ = ["HDRTransformer", "HDRTransformerConfig"]
