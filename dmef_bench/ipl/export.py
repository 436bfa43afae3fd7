"""IPL for other runtimes: `torch.export` and ONNX, for brackets of any size and number."""

import importlib.util
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from dmef_bench.atomic_write import atomic_write
from dmef_bench.errors import MissingError, UsageError
from dmef_bench.ipl.model import IPL

OPSET: Final = 18
INSTALL: Final = "pip install 'dmef-bench[export]'"
_LARGEST_SIDE: Final = 32768
_LARGEST_BATCH: Final = 1024
# Two different odd sizes and two pictures: what is equal here is taken to be equal always.
_EXAMPLE: Final = (2, 3, 3, 38, 53)


class AnySize(nn.Module):
    """`IPL.forward` without a branch on the size, clipped to [0, 1]: what is exported.

    Rows and columns are taken by number, the last one again up to a multiple of the factor, and
    cropped by number; padding and slices would ask whether the size is such a multiple.
    """

    def __init__(self, network: IPL) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Fuse images (B, 3, 3, H, W) in [0, 1] to (B, 3, H, W) in [0, 1]."""
        inputs = images.flatten(1, 2)
        for axis in (2, 3):
            length, factor = images.shape[axis + 1], self.network.config.factor
            padded = (length + factor - 1) // factor * factor
            places = torch.arange(padded, device=images.device).clamp(max=length - 1)
            inputs = inputs.index_select(axis, places)
        gain = self.network.gain_of_cells(inputs)
        for axis in (2, 3):
            places = torch.arange(images.shape[axis + 1], device=images.device)
            gain = gain.index_select(axis, places)
        return (gain * images[:, 1]).clamp(0, 1)


def export_program(network: IPL, size: tuple[int, int] | None = None) -> ExportedProgram:
    """The network as a `torch.export` program from brackets to pictures in [0, 1].

    Args:
        network: its attention cache is not part of the program.
        size: (H, W), then for one bracket of that size alone; None leaves the batch and H, W from
            16 to 32768 free, which the prose reading allows.

    Raises:
        UsageError: the equation reading without a size.
    """
    with torch.no_grad(), _for_inference(network) as module:
        return torch.export.export(
            module, _example(network, size), dynamic_shapes=_free(network, size)
        )


def export_onnx(
    network: IPL,
    path: Path,
    *,
    size: tuple[int, int] | None = None,
    metadata: dict[str, str] | None = None,
) -> None:
    """Write the network as one ONNX file (opset 18): input `images`, output `fused`.

    Values have the network's dtype; the configuration is kept as metadata.

    Args:
        network: on the CPU.
        path: of the file; replaced whole or not at all.
        size: as in `export_program`.
        metadata: more text to keep in the file.

    Raises:
        MissingError: onnx or onnxscript is not installed; the message says how to get them.
        UsageError: the equation reading without a size.
    """
    missing = [name for name in ("onnx", "onnxscript") if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingError(f"to export, {' and '.join(missing)} must be installed: {INSTALL}")
    free = _free(network, size)
    with torch.no_grad(), _for_inference(network) as module, _quiet():
        program = torch.onnx.export(
            module, _example(network, size), dynamo=True, opset_version=OPSET, verbose=False,
            input_names=["images"], output_names=["fused"], dynamic_shapes=free,
        )  # fmt: skip
        if program is None:
            raise RuntimeError("torch.onnx.export returned no program")
        model: Any = program.model_proto
    facts = {"method": "ipl", "config": network.config.to_json(), **(metadata or {})}
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=value)
    atomic_write(path, model.SerializeToString())


def _example(network: IPL, size: tuple[int, int] | None) -> tuple[Tensor]:
    parameter = next(network.parameters())
    shape = _EXAMPLE if size is None else (1, 3, 3, *size)
    return (torch.zeros(shape, dtype=parameter.dtype, device=parameter.device),)


def _free(network: IPL, size: tuple[int, int] | None) -> dict[str, dict[int, Any]] | None:
    if size is not None:
        return None
    if network.config.lfe == "equation":
        raise UsageError(
            "the equation reading's blocks depend on the picture's size; "
            "say for which size it is to be exported (--size WIDTHxHEIGHT)"
        )
    return {
        "images": {
            0: Dim("batch", min=1, max=_LARGEST_BATCH),
            3: Dim("height", min=16, max=_LARGEST_SIDE),
            4: Dim("width", min=16, max=_LARGEST_SIDE),
        }
    }


@contextmanager
def _for_inference(network: IPL) -> Iterator[AnySize]:
    """What is exported, without the attention cache; afterwards the network is as it was."""
    cache, training = network.attention_cache, network.training
    network.use_cache(None)
    try:
        yield AnySize(network).eval()
    finally:
        network.train(training)
        if cache is not None:
            network.use_cache(cache)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's remarks on itself from a user who can do nothing about them."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
