"""IPL, the reference model: network, attention cache, streaming, and the method built on it."""

from dmef_bench.ipl.attention_cache import AttentionCache, CacheStatistics
from dmef_bench.ipl.block_coders import BlockCoders, load_coders
from dmef_bench.ipl.config import IPLConfig
from dmef_bench.ipl.method import IPLMethod
from dmef_bench.ipl.model import IPL
from dmef_bench.ipl.streaming import ArrayRows, BracketRows, TooLittleMemoryError, fuse_stream

__all__ = [
    "IPL",
    "ArrayRows",
    "AttentionCache",
    "BlockCoders",
    "BracketRows",
    "CacheStatistics",
    "IPLConfig",
    "IPLMethod",
    "TooLittleMemoryError",
    "fuse_stream",
    "load_coders",
]
