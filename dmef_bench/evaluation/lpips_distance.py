"""LPIPS (Zhang et al. 2018) through the authors' `lpips` package, on the whole picture."""

import importlib
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dmef_bench.atomic_write import sha256_of_file
from dmef_bench.errors import UsageError
from dmef_bench.evaluation.eight_bit import EightBit, same_shape
from dmef_bench.evaluation.lpips_backbone import (
    Backbone,
    LpipsNet,
    absence,
    find_in_hub_cache,
    read_backbone,
)

# The deepest layer of every backbone still has a value at this height and width.
SMALLEST_SIDE = 32

_TorchLibrary: Any = torch.library.Library  # untyped in torch
# torch forgets the operators of a Library object that is gone.
_declared: list[Any] = []


class LpipsUnavailableError(Exception):
    """LPIPS can't be measured here; the message is the reason a table shows beside "n/a"."""


class Lpips:
    """The distance, with the package's own linear heads (v0.1) on a given backbone.

    Attributes:
        definition: what a figure of this object means; figures with another one don't compare.
    """

    def __init__(self, net: LpipsNet, backbone: Path | None, device: torch.device) -> None:
        """Load the network.

        Args:
            net: "alex", "vgg" or "squeeze".
            backbone: state dict file; None looks into torch hub's cache.
            device: where to compute.

        Raises:
            LpipsUnavailableError: no backbone is here, or the package can't be imported.
            UsageError: the backbone file is unreadable or belongs to another network.
        """
        file = backbone or _checked_cache(net)
        weights = read_backbone(file)
        self._device = device
        self._network = _network(net)
        _fill(self._network, weights, net, file)
        self._network.eval().to(device)
        self.definition = (
            f"lpips {version('lpips')}, heads v0.1, {net}, whole picture, float32, "
            f"backbone {weights.sha256[:16]}"
        )

    def __call__(self, prediction: EightBit, target: EightBit) -> float:
        """Distance of two (H, W, 3) uint8 pictures, both sides at least 32 pixels; >= 0.

        Raises:
            ValueError: the shapes differ, or a side is under 32 pixels.
        """
        same_shape(prediction, target)
        if min(target.shape[:2]) < SMALLEST_SIDE:
            raise ValueError(f"LPIPS needs {SMALLEST_SIDE}×{SMALLEST_SIDE} pixels or more")
        # TF32 would make a figure depend on the GPU's generation.
        with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            distance = self._network(self._scaled(prediction), self._scaled(target))
        return float(distance)

    def _scaled(self, picture: EightBit) -> Tensor:
        """(1, 3, H, W) float32 in [-1, 1] on the device."""
        values = torch.from_numpy(picture).to(self._device).permute(2, 0, 1)[None]
        return values.to(torch.float32).div_(127.5).sub_(1)


def _checked_cache(net: LpipsNet) -> Path:
    """The backbone in torch hub's cache, whose name holds the start of its SHA-256."""
    file = find_in_hub_cache(net)
    if file is None:
        raise LpipsUnavailableError(absence(net))
    if not sha256_of_file(file).startswith(file.stem.rsplit("-", 1)[1]):
        raise LpipsUnavailableError(f"{file.name} in torch hub's cache is damaged; delete it")
    return file


def _network(net: LpipsNet) -> Any:  # noqa: ANN401 - the package is untyped
    """The package's network; its backbone is filled with our weights before any use."""
    package = _package()
    # The package only builds the backbone through torchvision's initialiser, which draws from
    # the global generator that a method may have seeded.
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package calls torchvision's old `pretrained=`
        return package.LPIPS(net=net, pretrained=True, pnet_rand=True, verbose=False)


def _package() -> Any:  # noqa: ANN401 - the package is untyped
    """Import `lpips`, also where torchvision was built for another torch than is here.

    torchvision registers kernels for two operators of its compiled part at import and fails where
    that part can't be loaded (a CUDA build beside a CPU torch). LPIPS uses neither operator, so
    their declarations are enough.
    """
    try:
        importlib.import_module("torchvision")
    except (RuntimeError, AttributeError):
        if not _declared:
            library: Any = _TorchLibrary("torchvision", "DEF")
            for name in ("nms", "qnms"):
                library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            _declared.append(library)
    try:
        importlib.import_module("torchvision")
        return importlib.import_module("lpips")
    except (ImportError, RuntimeError, AttributeError) as error:
        sys.modules.pop("torchvision", None)
        raise LpipsUnavailableError(f"the lpips package can't be imported ({error})") from error


def _fill(network: Any, backbone: Backbone, net: LpipsNet, file: Path) -> None:  # noqa: ANN401
    """Give every backbone parameter its value from the file, none left and none over.

    Raises:
        UsageError: a name or a shape doesn't fit.
    """
    # The package keeps torchvision's features in slices: 'slice2.3.weight' is feature '3.weight'.
    wanted = {key.split(".", 1)[1]: key for key in network.net.state_dict()}
    values = backbone.parameters
    own = network.net.state_dict()
    unlike = [
        key
        for key in sorted(wanted.keys() | values.keys())
        if key not in wanted or key not in values or own[wanted[key]].shape != values[key].shape
    ]
    if unlike:
        raise UsageError(
            f"{file}: not the backbone of LPIPS-{net}: {len(unlike)} parameters differ in name or "
            f"shape, the first is {unlike[0]!r}; name the network with --lpips-net"
        )
    network.net.load_state_dict({wanted[key]: value for key, value in values.items()}, strict=True)
