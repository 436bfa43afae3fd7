"""Find, check and load the pretrained backbone LPIPS stands on; never random, never downloaded."""

import hashlib
import pickle
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

from dmef_bench.errors import UsageError

LpipsNet = Literal["alex", "vgg", "squeeze"]
LPIPS_NETS: tuple[LpipsNet, ...] = get_args(LpipsNet)

# torchvision's own file names; the tail is the start of the file's SHA-256.
_HUB_FILES: dict[LpipsNet, str] = {
    "alex": "alexnet-owt-7be5be79.pth",
    "vgg": "vgg16-397923af.pth",
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
}
_FEATURE_KEY = re.compile(r"(?:module\.)?(?:features\.)?(\d+\..+)")


@dataclass(frozen=True)
class Backbone:
    """The convolutional features of a torchvision model.

    Attributes:
        parameters: float32 tensors by the key they have in the model's `.features`.
        sha256: of names, shapes and values, the same for every file that holds these weights.
    """

    parameters: dict[str, Tensor]
    sha256: str


def find_in_hub_cache(net: LpipsNet) -> Path | None:
    """The backbone's file in torch hub's cache, where an earlier program left it."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / _HUB_FILES[net]
    return path if path.is_file() else None


def lpips_backbones() -> tuple[list[str], list[str]]:
    """Names of the LPIPS networks whose backbone is in torch hub's cache, and of the others."""
    here = [net for net in LPIPS_NETS if find_in_hub_cache(net)]
    return list(here), [net for net in LPIPS_NETS if net not in here]


def absence(net: LpipsNet) -> str:
    """Why LPIPS is n/a, and what to do about it, in one sentence."""
    return (
        f"no pretrained {net} backbone: {_HUB_FILES[net]} is not in torch hub's cache and "
        "--lpips-backbone names no file"
    )


def read_backbone(path: Path) -> Backbone:
    """Read a state dict of a torchvision model or of its `.features` part.

    Raises:
        UsageError: no such file, not a plain state dict, or no features in it.
    """
    if not path.is_file():
        raise UsageError(f"{path}: there is no such LPIPS backbone file")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        # torch's own message advises to load the file unsafely.
        raise UsageError(
            f"{path}: not a state dict of plain tensors, the only thing loaded from such a file; "
            "save one with torch.save(model.features.state_dict(), FILE)"
        ) from error
    parameters = _features(state) if isinstance(state, dict) else {}
    if not parameters:
        raise UsageError(
            f"{path}: holds no features of a torchvision model; "
            "keys such as '0.weight' or 'features.0.weight' are needed"
        )
    return Backbone(parameters, _digest(parameters))


def _features(state: dict[object, object]) -> dict[str, Tensor]:
    """The entries of `.features`, whether the whole model was saved or that part alone."""
    found = {}
    for key, value in state.items():
        match = _FEATURE_KEY.fullmatch(key) if isinstance(key, str) else None
        if match and isinstance(value, Tensor):
            found[match[1]] = value.detach().to(torch.float32)
    return found


def _digest(parameters: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for key in sorted(parameters):
        value = parameters[key].contiguous()
        digest.update(f"{key} {tuple(value.shape)}\n".encode())
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()
