"""CNN-W and CNN-C: small learned auto-encoders for cached blocks (the paper's Table 7).

The paper gives the two names and their times alone. Here each is one convolution there and one
back, of their own for every FIB and dimension: CNN-C halves the channels of a block, CNN-W its
width. What is kept are 16-bit codes of the halved block (eqs. 5-8), so that it takes the room of
8-bit quantisation. CNN-W treats all channels alike.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal, NamedTuple, cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional

from dmef_bench.ipl.quantisation import Quantised, dequantise, quantise, set_apart

CoderKind = Literal["cnn-width", "cnn-channels"]
SHIPPED_CODERS: Final = Path(__file__).parent / "weights" / "cache-coders.safetensors"
_BITS: Final = 16
# Four columns see across the border between pairs, two would not.
_REACH: Final = 4


class BlockCoder(nn.Module):
    """Halves the width or the channels of a block and brings them back.

    Args:
        kind: which of the two.
        channels: of the blocks.
    """

    def __init__(self, kind: CoderKind, channels: int) -> None:
        super().__init__()
        self.kind, self.channels = kind, channels
        self.there: nn.Module
        self.back: nn.Module
        if kind == "cnn-channels":
            half = -(-channels // 2)
            self.there = nn.Conv2d(channels, half, 1)
            self.back = nn.Conv2d(half, channels, 1)
        else:
            across, stride, beside = (1, _REACH), (1, 2), (0, _REACH // 2 - 1)
            self.there = nn.Conv2d(1, 1, across, stride, beside)
            self.back = nn.ConvTranspose2d(1, 1, across, stride, beside)

    def encode(self, block: Tensor) -> Tensor:
        """(N, c, h, w) to (N, c/2, h, w) or (N, c, h, w/2), halves rounded up."""
        if self.kind == "cnn-channels":
            code: Tensor = self.there(block)
            return code
        if block.shape[-1] % 2:
            block = functional.pad(block, (0, 1, 0, 0), mode="replicate")
        return _each_channel(self.there, block)

    def decode(self, code: Tensor, width: int) -> Tensor:
        """What `encode` gave, to (N, c, h, width)."""
        if self.kind == "cnn-channels":
            block: Tensor = self.back(code)
            return block
        return _each_channel(self.back, code)[..., :width]

    def forward(self, block: Tensor) -> Tensor:
        """There and back: (N, c, h, w) to the same."""
        return self.decode(self.encode(block), block.shape[-1])


def _each_channel(convolution: nn.Module, planes: Tensor) -> Tensor:
    count, channels, height, width = planes.shape
    made: Tensor = convolution(planes.reshape(count * channels, 1, height, width))
    return made.reshape(count, channels, height, -1)


class Coded(NamedTuple):
    """A block that a coder halved.

    Attributes:
        code: the halved block.
        width: of the block.
        dtype: of the block.
        places: int64, flat indices of the values that are infinite or NaN.
        values: those values.
    """

    code: Quantised
    width: int
    dtype: torch.dtype
    places: Tensor
    values: Tensor

    @property
    def bytes(self) -> int:
        """Bytes of the tensors that are kept."""
        return self.code.bytes + self.places.nbytes + self.values.nbytes


class BlockCoders(nn.Module):
    """The coders of a network, one for each FIB and dimension.

    Args:
        kind: of all of them.
        channels: of the blocks, by number of the FIB and dimension.
        weights_sha256: of the file of the network they were fitted to, where that is known.
    """

    def __init__(
        self,
        kind: CoderKind,
        channels: dict[tuple[int, str], int],
        weights_sha256: str | None = None,
    ) -> None:
        super().__init__()
        self.kind, self.weights_sha256 = kind, weights_sha256
        self.coders = nn.ModuleDict(
            {f"{fib}{dimension}": BlockCoder(kind, c) for (fib, dimension), c in channels.items()}
        )

    def coder(self, fib: int, dimension: str) -> BlockCoder:
        """The coder for blocks of a FIB and dimension.

        Raises:
            KeyError: there is none.
        """
        return cast(BlockCoder, self.coders[f"{fib}{dimension}"])

    def check(self, channels: dict[tuple[int, str], int]) -> None:
        """Refuse a network with other blocks than these coders were made for.

        Raises:
            ValueError: says which.
        """
        for (fib, dimension), wanted in channels.items():
            name = f"{fib}{dimension}"
            made = self.coder(fib, dimension).channels if name in self.coders else 0
            if made != wanted:
                raise ValueError(
                    f"the coders of {self.kind} were made for another network: blocks of FIB "
                    f"{fib} along {dimension} have {wanted} channels and the coder {made}"
                )

    def compress(self, fib: int, dimension: str, block: Tensor) -> Coded:
        """Halve a block (1, c, h, w); values that are not finite are kept apart."""
        finite, _, _, places = set_apart(block.detach().reshape(-1))
        coder = self.coder(fib, dimension)
        if next(coder.parameters()).device != block.device:
            coder = coder.to(block.device)
        with torch.no_grad():
            code = coder.encode(finite.float().reshape(block.shape))
        values = block.detach().reshape(-1)[places]
        return Coded(quantise(code, _BITS), block.shape[-1], block.dtype, places, values)

    def restore(self, fib: int, dimension: str, coded: Coded) -> Tensor:
        """A new tensor with the shape and dtype of the block."""
        with torch.no_grad():
            decoded = self.coder(fib, dimension).decode(dequantise(coded.code), coded.width)
        block = decoded.to(coded.dtype).contiguous()
        if coded.places.numel():
            block.view(-1)[coded.places] = coded.values
        return block


def coder_tensors(all_coders: Iterable[BlockCoders]) -> dict[str, Tensor]:
    """Everything `load_coders` needs, half precision, by name."""
    return {
        f"{coders.kind}/{name}": tensor.half()
        for coders in all_coders
        for name, tensor in coders.state_dict().items()
    }


def load_coders(kind: CoderKind, path: Path = SHIPPED_CODERS) -> BlockCoders:
    """The coders of one kind from a safetensors file.

    Args:
        kind: which.
        path: made by `python -m dmef_bench.training.cache_coders`.

    Raises:
        ValueError: no such file, or other tensors in it than its metadata says.
    """
    try:
        with safe_open(path, "pt") as stored:
            metadata = stored.metadata() or {}
            channels = json.loads(metadata["channels"])
            names = [name for name in stored.keys() if name.startswith(f"{kind}/")]  # noqa: SIM118
            tensors = {name.partition("/")[2]: stored.get_tensor(name).float() for name in names}
        places = {(int(k[:-1]), k[-1]): int(c) for k, c in channels.items()}
        coders = BlockCoders(kind, places, metadata.get("weights_sha256"))
        coders.load_state_dict(tensors)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        said = " ".join(str(error).split())[:200]
        raise ValueError(f"{path}: no coders of {kind} can be read from it ({said})") from error
    return coders.eval().requires_grad_(False)
