"""IPL as the benchmark sees it: shipped weights, one picture in, one picture out."""

from pathlib import Path

import torch
from torch import Tensor

from baselines.bracket import Bracket
from baselines.method import Method, MethodInfo, SizeRule
from baselines.weights_training import weights_training
from dmef_bench.ipl.fast import can_fuse_fast, fuse_fast
from dmef_bench.ipl.fast.cuda import can_fuse_on_cuda, fuse_on_cuda
from dmef_bench.ipl.model import IPL
from dmef_bench.ipl.weights_file import SHIPPED, build_ipl, load_strictly


class IPLMethod(Method):
    """The reference model with the weights shipped in this package, or others."""

    info = MethodInfo(
        name="ipl",
        title="IPL",
        year=2025,
        paper=(
            "Chen et al., Ultra-High-Definition Dynamic Multi-Exposure Image Fusion via Infinite "
            "Pixel Learning, AAAI 2025, doi 10.1609/aaai.v39i2.32224"
        ),
        licence="Apache-2.0",
        kind="learned",
        size=SizeRule(minimum=16),
    )

    def __init__(self) -> None:
        super().__init__()
        self._network: IPL | None = None

    @classmethod
    def shipped_weights(cls) -> Path | None:
        """See `Method.shipped_weights`."""
        return SHIPPED

    def load(self, weights: Path | None, device: torch.device) -> None:
        """Load the shipped weights, or others whose metadata says how their network is built.

        Raises:
            WeightsError: the file is missing, unsafe, or does not fit IPL; the message says where.
        """
        network, file = load_strictly(SHIPPED if weights is None else weights, "ipl", build_ipl)
        self._network = network.to(device).eval()
        self.weights_sha256 = file.sha256
        self.weights_training = weights_training(file.metadata)
        self.device = device

    def fuse(self, bracket: Bracket) -> Tensor:
        """Gain map times reference, clipped to [0, 1].

        Computed in the dtype of the network, float32 as it is loaded; on a CPU by the fast path
        where that is possible (`dmef_bench.ipl.fast`), on a GPU by Triton's kernels where these
        are (`dmef_bench.ipl.fast.cuda`), otherwise by the network itself.

        Args:
            bracket: images (B, 3, 3, H, W) in [0, 1] on the device given to `load`; H, W >= 16.

        Returns:
            (B, 3, H, W) in [0, 1], dtype of the bracket.
        """
        if self._network is None:
            raise RuntimeError("call load() before fuse()")
        with torch.inference_mode():
            if can_fuse_on_cuda(self._network, bracket.images):
                picture = fuse_on_cuda(self._network, bracket.images, clip=True)
                if picture is not None:
                    return picture
            images = bracket.images.to(next(self._network.parameters()).dtype)
            fast = can_fuse_fast(self._network, images)
            fused: Tensor = (
                fuse_fast(self._network, images) if fast else self._network(images)
            ).clamp_(0, 1)
        return fused.to(bracket.images.dtype)

    def network(self) -> IPL | None:
        """The loaded network; None before `load`."""
        return self._network
