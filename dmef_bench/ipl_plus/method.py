"""IPL+ as the benchmark sees it."""

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from baselines.bracket import Bracket
from baselines.method import Method, MethodError, MethodInfo, SizeRule
from baselines.weights_training import weights_training
from dmef_bench.ipl.weights_file import load_strictly
from dmef_bench.ipl_plus.config import IPLPlusConfig
from dmef_bench.ipl_plus.cuda import can_fuse_on_cuda, fuse_on_cuda
from dmef_bench.ipl_plus.model import IPLPlus

SHIPPED = Path(__file__).parent / "weights" / "ipl-plus.safetensors"


class IPLPlusMethod(Method):
    """IPL+ with the weights shipped in this package, or others; is not told the response."""

    info: ClassVar[MethodInfo] = MethodInfo(
        name="ipl-plus",
        title="IPL+",
        year=2026,
        paper="dmef-bench, docs/ipl-plus.md",
        licence="Apache-2.0",
        kind="learned",
        size=SizeRule(minimum=16),
    )

    def __init__(self) -> None:
        super().__init__()
        self._network: IPLPlus | None = None

    @classmethod
    def shipped_weights(cls) -> Path | None:
        """See `Method.shipped_weights`."""
        return SHIPPED

    def load(self, weights: Path | None, device: torch.device) -> None:
        """Load the shipped weights, or others whose metadata says how their network is built.

        Raises:
            WeightsError: the file is missing, unsafe, or does not fit; the message says where.
        """
        network, file = load_strictly(
            SHIPPED if weights is None else weights,
            self.info.name,
            lambda config: IPLPlus(IPLPlusConfig.from_json(config)),
        )
        self._network = network.to(device).eval()
        self.weights_sha256 = file.sha256
        self.weights_training = weights_training(file.metadata)
        self.device = device

    def fuse(self, bracket: Bracket) -> Tensor:
        """The fused picture, clipped to [0, 1].

        Computed in the dtype of the network, float32 as it is loaded; on a GPU by Triton's kernels
        where these are (`dmef_bench.ipl_plus.cuda`), otherwise by the network itself.

        Args:
            bracket: images (B, 3, 3, H, W) in [0, 1] on the device given to `load`; H, W >= 16.

        Returns:
            (B, 3, H, W) in [0, 1], dtype of the bracket.
        """
        if self._network is None:
            raise MethodError(f"{self.info.name}: call load() before fuse()")
        with torch.inference_mode():
            if can_fuse_on_cuda(self._network, bracket.images):
                picture = fuse_on_cuda(self._network, bracket.images, bracket.evs, clip=True)
                if picture is not None:
                    return picture
            images = bracket.images.to(next(self._network.parameters()).dtype)
            fused: Tensor = self._network(images, bracket.evs).clamp_(0, 1)
        return fused.to(bracket.images.dtype)

    def network(self) -> IPLPlus | None:
        """The loaded network; None before `load`."""
        return self._network
