"""Whole pictures on a GPU: kernels captured once for a size, then replayed."""

import importlib.util
import warnings
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from dmef_bench.ipl.config import IPLConfig
from dmef_bench.ipl.model import IPL

if TYPE_CHECKING:
    from dmef_bench.ipl.fast.cuda.launches import Tiles
    from dmef_bench.ipl.fast.cuda.packing import PackedNetwork

# Sizes kept ready for each network; one holds a bracket, its features and its picture.
MAX_PLANS: Final = 4
_FLOATS: Final = (torch.float32, torch.bfloat16, torch.float16)
# Kernels count in 32 bits, and their last tile reaches beyond the last pixel.
_MOST_COUNTED: Final = 2**31 - 2**12
_MOST_BRACKETS: Final = 2**16 - 1
# Of each parameter its address, version and dtype.
_Signature = tuple[tuple[int, int, torch.dtype], ...]


def covers(config: IPLConfig) -> bool:
    """Whether the kernels can stand in for a network of this configuration.

    In the equation reading a block needs the means of the whole result of the one before; it is
    not covered, nor is a block without its residual. Widths are bounded by what a tile keeps in
    registers.
    """
    return (
        config.lfe == "prose"
        and config.residual
        and config.channels <= 64
        and config.drtm_size <= 64
        and config.factor <= 4
    )


def counts(config: IPLConfig, shape: torch.Size) -> bool:
    """Whether the kernels can number all pixels and contexts of brackets (B, 3, 3, H, W)."""
    batch, (height, width) = shape[0], shape[-2:]
    contexts = max(config.blocks, 4) * batch * config.drtm_size**2 * config.channels
    return max(batch * height * width, contexts) <= _MOST_COUNTED and batch <= _MOST_BRACKETS


def can_fuse_on_cuda(network: IPL, images: Tensor) -> bool:
    """Whether `fuse_on_cuda` may stand in for the network.

    Inference in float32, bfloat16 or float16 on a CUDA device of compute capability 8.0 or later,
    with Triton installed, a covered configuration, pixels that 32 bits can number, no attention
    cache in use, and nothing that watches torch's operations (a counter, a tracer), to which
    kernels are invisible.
    """
    parameter = next(network.parameters())
    return (
        images.device.type == "cuda"
        and parameter.device == images.device
        and not network.training
        and not torch.is_grad_enabled()
        and parameter.dtype in _FLOATS
        and not parameter.is_inference()
        and images.dtype in (*_FLOATS, torch.uint8)
        and covers(network.config)
        and counts(network.config, images.shape)
        and network not in _refused
        and (network.attention_cache is None or network.attention_cache.mode == "off")
        and torch._C._len_torch_dispatch_stack() == 0
        and importlib.util.find_spec("triton") is not None
        and torch.cuda.get_device_capability(images.device) >= (8, 0)
    )


def fuse_on_cuda(
    network: IPL, images: Tensor, *, clip: bool = False, out_dtype: torch.dtype | None = None
) -> Tensor | None:
    """What `network(images)` returns, within rounding; the first call of a size prepares it.

    Computed in the dtype of the network with float32 sums. Weights are packed anew when they
    changed, other than through `Tensor.data`, of which torch keeps no count. Calls for one network
    come from one thread and one stream.

    Args:
        network: for which `can_fuse_on_cuda` holds.
        images: (B, 3, 3, H, W), float in [0, 1] or uint8, on its device.
        clip: whether the result is clipped to [0, 1].
        out_dtype: of the result; that of the images where None. uint8 is clipped and rounded.

    Returns:
        (B, 3, H, W), gain times X2; None where Triton can't build the kernels on this machine, of
        which a RuntimeWarning tells, once.
    """
    plans = _plans.get(network)
    signature = tuple((p.data_ptr(), p._version, p.dtype) for p in network.parameters())
    with torch.inference_mode(), torch.cuda.device(images.device):
        if plans is None or plans.signature != signature:
            plans = _plans[network] = _pack(network, signature)
        key = (images.shape, images.dtype, out_dtype or images.dtype, clip)
        plan = plans.ready.get(key)
        if plan is None:
            while len(plans.ready) >= MAX_PLANS:
                plans.ready.popitem(last=False)
            try:
                plan = Plan(plans.weights, network.config, images, out_dtype, clip=clip)
            except torch.OutOfMemoryError:
                raise
            except Exception as error:  # whatever the compiler's tools meet on a machine
                _refused[network] = True
                warnings.warn(
                    f"IPL's CUDA kernels can't be built here ({type(error).__name__}: {error}); "
                    "the plain network runs instead",
                    RuntimeWarning,
                    stacklevel=2,
                )
                return None
            plans.ready[key] = plan
        plans.ready.move_to_end(key)
        return plan(images)


class Plan:
    """All launches for one shape and dtype as one CUDA graph over buffers of its own.

    Args:
        weights: packed, on the device.
        config: covered.
        images: (B, 3, 3, H, W), an example.
        out_dtype: of the result; that of the images where None.
        clip: whether the result is clipped to [0, 1].
        tiles: how the kernels cut their work.
    """

    def __init__(
        self,
        weights: "PackedNetwork",
        config: IPLConfig,
        images: Tensor,
        out_dtype: torch.dtype | None = None,
        *,
        clip: bool = False,
        tiles: "Tiles | None" = None,
    ) -> None:
        from dmef_bench.ipl.fast.cuda.launches import Launches

        self._images = images.clone(memory_format=torch.contiguous_format)
        self._out = images.new_empty(
            images.shape[0], *images.shape[2:], dtype=out_dtype or images.dtype
        )
        launches = Launches(weights, config, self._images, self._out, clip=clip, tiles=tiles)
        now = torch.cuda.current_stream(images.device)
        aside = torch.cuda.Stream(images.device)  # type: ignore[no-untyped-call]
        aside.wait_stream(now)
        with torch.cuda.stream(aside):
            launches.run()  # builds the kernels, which can't be done while capturing
        now.wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            launches.run()
        # The graph holds addresses: the buffers live as long as it does.
        self._launches = launches

    def __call__(self, images: Tensor) -> Tensor:
        """Fuse images like the example; nothing waits for the device."""
        self._images.copy_(images)
        self._graph.replay()
        return self._out.clone()

    def replay(self) -> None:
        """The kernels alone, on the images of the last call."""
        self._graph.replay()


class _Plans(NamedTuple):
    signature: _Signature
    weights: "PackedNetwork"
    ready: OrderedDict[tuple[object, ...], Plan]


def _pack(network: IPL, signature: _Signature) -> _Plans:
    from dmef_bench.ipl.fast.cuda.packing import PackedNetwork

    return _Plans(signature, PackedNetwork(network), OrderedDict())


_plans: WeakKeyDictionary[IPL, _Plans] = WeakKeyDictionary()
_refused: WeakKeyDictionary[IPL, bool] = WeakKeyDictionary()
