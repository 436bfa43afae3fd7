"""Every choice the paper leaves open or its ablations switch, in one frozen object."""

from dataclasses import dataclass
from typing import Literal, get_args

from dmef_bench.ipl.stored_config import StoredConfig

Lfe = Literal["prose", "equation"]
Final = Literal["last", "sum"]
DIMENSIONS = "CWH"


@dataclass(frozen=True)
class IPLConfig(StoredConfig):
    """How an IPL network is built; the defaults are the configuration that is shipped.

    docs/fidelity.md says for each field what the paper prints and why the default is as it is.

    Attributes:
        channels: C, width of the features F0 and of every block.
        blocks: number of Feature Integration Blocks.
        factor: sampling factor r of the sub-pixel layers; features are (H/r, W/r).
        dimensions: which dimensions DAEM slices, a subset of "CWH" in that order; empty leaves
            DAEM out: features pass (row a of the paper's Table 4; see also `residual`).
        channel_block: channels in a block sliced along the channels; divides `channels`.
        width_block: feature columns in a block sliced along the width.
        height_block: feature rows in a block sliced along the height.
        lfe: what the weights F_w of the local feature extractor scale: the block's input
            features ("prose") or their mean ("equation", eq. 3).
        drtm: whether a block adds DRTM(F_DAEM) (eq. 14).
        residual: whether F_DAEM stands in that sum; without it a block is DRTM(F_DAEM) alone.
        drtm_size: side S of the fixed size DRTM interpolates to.
        final: what goes to the UpSampler: the last block's output or the sum over all blocks.
    """

    channels: int = 48
    blocks: int = 8
    factor: int = 4
    dimensions: str = DIMENSIONS
    channel_block: int = 16
    width_block: int = 64
    height_block: int = 64
    lfe: Lfe = "prose"
    drtm: bool = True
    residual: bool = True
    drtm_size: int = 48
    final: Final = "last"

    def __post_init__(self) -> None:
        limits = {
            "channels": 512, "blocks": 64, "factor": 16, "channel_block": 512,
            "width_block": 65536, "height_block": 65536, "drtm_size": 512,
        }  # fmt: skip
        for name, largest in limits.items():
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= largest:
                raise ValueError(f"IPLConfig.{name} is 1 to {largest}, got {value!r}")
        if self.channels % self.channel_block:
            raise ValueError(
                f"IPLConfig.channel_block {self.channel_block} does not divide "
                f"the {self.channels} channels"
            )
        if self.dimensions != "".join(d for d in DIMENSIONS if d in self.dimensions):
            raise ValueError(
                f"IPLConfig.dimensions is a subset of {DIMENSIONS!r} in that order, "
                f"got {self.dimensions!r}"
            )
        if self.lfe not in get_args(Lfe) or self.final not in get_args(Final):
            raise ValueError(
                f"IPLConfig.lfe is one of {get_args(Lfe)} and final one of {get_args(Final)}, "
                f"got {self.lfe!r} and {self.final!r}"
            )
        for name in ("drtm", "residual"):
            if type(getattr(self, name)) is not bool:
                raise ValueError(f"IPLConfig.{name} is true or false, got {getattr(self, name)!r}")
        if not (self.drtm or self.residual):
            raise ValueError("IPLConfig.residual is false, but without drtm nothing else is left")
