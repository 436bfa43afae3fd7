"""AHDRNet in chunks of 64×64 with IPL's attention cache: the second row of the paper's Table 6."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from baselines.ahdrnet import AHDRNet
from baselines.ahdrnet.chunks import CHUNK, Attend, fuse_in_chunks
from baselines.ahdrnet.method import AHDRNetMethod
from baselines.bracket import Bracket
from baselines.conventions import in_dataset_space
from baselines.learned import exposure_inputs
from baselines.method import MethodError, MethodInfo
from dmef_bench.ipl.attention_cache import AttentionCache, Place


class ChunkedAHDRNet(AHDRNetMethod):
    """AHDRNet on the whole picture, chunk by chunk, with a cache for the attended features.

    The paper says no more than chunks of 64×64 and its attention cache. Here a chunk's block is
    the features of its three exposures, and what the cache keeps is what attention makes of the
    outer two. The shipped reading is an `exact` cache: the result does not depend on what was
    fused before.

    Attributes:
        side: of a chunk in pixels; may be set.
        cache: may be replaced, also by None; emptied by `load`.
    """

    info: ClassVar[MethodInfo] = replace(
        AHDRNetMethod.info,
        name="ahdrnet-chunks",
        title="AHDRNet, chunks and cache",
        paper_resolution=None,
    )
    weights_of: ClassVar[str] = AHDRNetMethod.info.name
    weights_to_give: ClassVar[str] = "those of ahdrnet"

    def __init__(self) -> None:
        super().__init__()
        self.side = CHUNK
        self.cache: AttentionCache | None = AttentionCache("exact")

    def load(self, weights: Path | None, device: torch.device) -> None:
        """See `LearnedMethod.load`; what was kept with other weights is forgotten."""
        super().load(weights, device)
        if self.cache is not None:
            self.cache.clear()

    def fuse(self, bracket: Bracket) -> Tensor:
        """Fuse a bracket chunk by chunk.

        Raises:
            MethodError: nothing is loaded, or the weights want a camera response that is unknown.
        """
        network = self.network()
        if not isinstance(network, AHDRNet):
            raise MethodError(f"{self.info.name}: call load() before fuse()")
        with torch.no_grad():
            exposures = exposure_inputs(network, bracket, self.conventions, "LDR, linear")
            keep = None if self.cache is None else self._kept
            fused = fuse_in_chunks(network, exposures, keep, self.side)
            picture = in_dataset_space(fused, bracket, self.conventions)
        return picture.clamp(0, 1).to(bracket.images.dtype)

    def _kept(self, picture: int, number: int, features: Tensor, attend: Attend) -> Tensor:
        place = Place(0, "chunk", picture, number)
        if self.cache is None:
            return attend(features)
        return self.cache.read(place, features, attend)


class UncachedChunks(ChunkedAHDRNet):
    """The same without a cache, for what the cache's compression costs."""

    info: ClassVar[MethodInfo] = replace(
        ChunkedAHDRNet.info, name="ahdrnet-chunks-uncached", title="AHDRNet, chunks, no cache"
    )

    def __init__(self) -> None:
        super().__init__()
        self.cache = None
