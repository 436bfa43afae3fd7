"""MEFLUT as a method of the benchmark."""

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from baselines.bracket import Bracket
from baselines.conventions import Conventions, precise
from baselines.learned import LearnedMethod, precision_of
from baselines.meflut.fusion import fuse_by_lines, guided_lines, small_luma
from baselines.meflut.network import MEFLUT
from baselines.meflut.tables import looked_up, read_tables, tables_of
from baselines.method import MethodError, MethodInfo, PublishedFigure


class MEFLUTMethod(LearnedMethod):
    """A table of weights for each exposure, guided upsampling; for scenes that do not move.

    Exposures are taken as they are, display-referred, and so is the result. Nothing is aligned and
    nothing looks for motion: what moves shows as often as there are exposures. Only the tables
    work at inference; a network's weights become tables when they are loaded.
    """

    info: ClassVar[MethodInfo] = MethodInfo(
        name="meflut",
        title="MEFLUT",
        year=2023,
        paper='T. Jiang et al., "MEFLUT: Unsupervised 1D Lookup Tables for Multi-exposure Image '
        'Fusion", ICCV 2023, arXiv 2309.11847',
        licence="Apache-2.0 (written from the paper); the authors' code and tables are under MIT",
        kind="learned",
        published=(
            PublishedFigure(
                source="T. Jiang et al., ICCV 2023, abstract",
                dataset="pictures of 4K",
                seconds=0.004,
                note="printed as less than 4 ms, on a GPU of a PC",
            ),
        ),
    )
    architecture = MEFLUT
    weights_to_give = "the authors' folder of tables or weights of `dmef-bench train`"

    def __init__(self) -> None:
        super().__init__()
        self._tables: Tensor | None = None

    @classmethod
    def misfit(cls, network: nn.Module) -> str:
        """Why the network can't weigh a bracket; empty if it can."""
        frames = network.config.frames if isinstance(network, MEFLUT) else 0
        return "" if frames == 3 else f"it weighs {frames} exposures"

    @classmethod
    def infer(cls, network: nn.Module, bracket: Bracket, conventions: Conventions) -> Tensor:
        """Fuse by the network's own weights, as training does; see `LearnedMethod.infer`."""
        del conventions  # nothing becomes linear
        images = precise(bracket.images)
        luma = small_luma(images)
        weights = network(luma.to(precision_of(network))).to(luma.dtype)
        return fuse_by_lines(images, guided_lines(luma, weights), by_strips=False)

    def load(self, weights: Path | None, device: torch.device) -> None:
        """Read the authors' tables, or a network's weights and ask it for its tables.

        Raises:
            WeightsMissingError: no weights are given and none are shipped.
            WeightsError: unreadable, unsafe, of another network or for other than three exposures.
        """
        if weights is not None and (weights.is_dir() or weights.suffix == ".txt"):
            tables, self.weights_sha256 = read_tables(weights)
            self._tables = tables.to(device)
            self.conventions = self.authors
            self.device = device
            return
        super().load(weights, device)
        if isinstance(self._network, MEFLUT):
            self._tables = tables_of(self._network)
        self._network = None

    def fuse(self, bracket: Bracket) -> Tensor:
        """Fuse a bracket by the tables, in float32 at least.

        Raises:
            MethodError: nothing is loaded.
        """
        if self._tables is None:
            raise MethodError(f"{self.info.name}: call load() before fuse()")
        images = precise(bracket.images)
        with torch.no_grad():
            luma = small_luma(images)
            weights = looked_up(self._tables.to(luma.dtype), luma)
            lines = guided_lines(luma, weights)
            fused = fuse_by_lines(images, lines, by_strips=images.device.type == "cpu")
        return fused.to(bracket.images.dtype)

    def network(self) -> nn.Module | None:
        """None: tables alone are at work."""
        return None
