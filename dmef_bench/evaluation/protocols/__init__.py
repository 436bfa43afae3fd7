"""How a method is fed: `paper` (small), `tiled` (in pieces) or `native` (whole)."""

from dmef_bench.evaluation.protocols.base import Fuse, Protocol, ProtocolName
from dmef_bench.evaluation.protocols.native import NativeProtocol
from dmef_bench.evaluation.protocols.paper import PaperProtocol
from dmef_bench.evaluation.protocols.size_rule import crop_to, reflect_to
from dmef_bench.evaluation.protocols.tiled import TiledProtocol

__all__ = [
    "Fuse",
    "NativeProtocol",
    "PaperProtocol",
    "Protocol",
    "ProtocolName",
    "TiledProtocol",
    "crop_to",
    "reflect_to",
]
