"""A network's kernels on a GPU: captured once for a shape as a CUDA graph, then replayed."""

import importlib.util
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, Generic, NamedTuple, Protocol, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

# Shapes kept ready for each network; one holds its inputs, all between, and its picture.
MAX_PLANS: Final = 4
FLOATS: Final = (torch.float32, torch.bfloat16, torch.float16)
# Kernels count in 32 bits, and their last tile reaches beyond the last pixel.
MOST_COUNTED: Final = 2**31 - 2**12
# Programs along the second and third dimension of a grid.
MOST_ALONG_A_GRID: Final = 2**16 - 1
# Of each parameter its address, version and dtype.
_Signature = tuple[tuple[int, int, torch.dtype], ...]

Network = TypeVar("Network", bound=nn.Module)
Packed = TypeVar("Packed")


class Launches(Protocol):
    """All kernels between a network's inputs and its picture, over buffers of their own."""

    def run(self) -> None:
        """Launch them all; nothing waits for the device."""


class Plan:
    """The launches for one shape and dtype as one CUDA graph.

    Args:
        prepare: from the graph's own inputs and its own output to the launches.
        inputs: an example of each.
        out: (shape, dtype) of the picture.
    """

    def __init__(
        self,
        prepare: Callable[[Sequence[Tensor], Tensor], Launches],
        inputs: Sequence[Tensor],
        out: tuple[Sequence[int], torch.dtype],
    ) -> None:
        self._inputs = [given.clone(memory_format=torch.contiguous_format) for given in inputs]
        self._out = inputs[0].new_empty(out[0], dtype=out[1])
        launches = prepare(self._inputs, self._out)
        now = torch.cuda.current_stream(self._out.device)
        aside = torch.cuda.Stream(self._out.device)  # type: ignore[no-untyped-call]
        aside.wait_stream(now)
        with torch.cuda.stream(aside):
            launches.run()  # builds the kernels, which can't be done while capturing
        now.wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            launches.run()
        # The graph holds addresses: the buffers live as long as it does.
        self._launches = launches

    def __call__(self, inputs: Sequence[Tensor]) -> Tensor:
        """The picture of inputs like the example; nothing waits for the device."""
        for held, given in zip(self._inputs, inputs, strict=True):
            held.copy_(given)
        self._graph.replay()
        return self._out.clone()

    def replay(self) -> None:
        """The kernels alone, on the inputs of the last call."""
        self._graph.replay()


class Plans(Generic[Network, Packed]):
    """The plans of all networks of one kind.

    Args:
        title: of the kind, for a warning.
        pack: a network's weights as its kernels read them.
        prepare: from packed weights, network, inputs, output and whether to clip to the launches.
    """

    def __init__(
        self,
        title: str,
        pack: Callable[[Network], Packed],
        prepare: Callable[[Packed, Network, Sequence[Tensor], Tensor, bool], Launches],
    ) -> None:
        self._title, self._pack, self._prepare = title, pack, prepare
        self._ready: WeakKeyDictionary[Network, _Ready[Packed]] = WeakKeyDictionary()
        self._refused: WeakKeyDictionary[Network, bool] = WeakKeyDictionary()

    def may_replace(self, network: Network, images: Tensor) -> bool:
        """Whether kernels may stand in for a network, as far as that is the same for all kinds.

        Inference in float32, bfloat16 or float16 on a CUDA device of compute capability 8.0 or
        later, with Triton installed, kernels that could be built, and nothing that watches torch's
        operations (a counter, a tracer), to which kernels are invisible.
        """
        parameter = next(network.parameters())
        return (
            images.device.type == "cuda"
            and parameter.device == images.device
            and not network.training
            and not torch.is_grad_enabled()
            and parameter.dtype in FLOATS
            and not parameter.is_inference()
            and images.dtype in (*FLOATS, torch.uint8)
            and network not in self._refused
            and torch._C._len_torch_dispatch_stack() == 0
            and importlib.util.find_spec("triton") is not None
            and torch.cuda.get_device_capability(images.device) >= (8, 0)
        )

    def fuse(
        self, network: Network, inputs: Sequence[Tensor], *, clip: bool, out_dtype: torch.dtype
    ) -> Tensor | None:
        """The network's picture; the first call of a shape prepares it.

        Weights are packed anew when they changed, other than through `Tensor.data`, of which torch
        keeps no count. Calls for one network come from one thread and one stream.

        Args:
            network: for which `may_replace` holds.
            inputs: (B, 3, 3, H, W) images first.
            clip: whether the result is clipped to [0, 1].
            out_dtype: of the result.

        Returns:
            (B, 3, H, W); None where Triton can't build the kernels on this machine, of which a
            RuntimeWarning tells, once.
        """
        images = inputs[0]
        signature = tuple((p.data_ptr(), p._version, p.dtype) for p in network.parameters())
        with torch.inference_mode(), torch.cuda.device(images.device):
            ready = self._ready.get(network)
            if ready is None or ready.signature != signature:
                ready = _Ready(signature, self._pack(network), OrderedDict())
                self._ready[network] = ready
            key = (images.shape, images.dtype, out_dtype, clip)
            plan = ready.plans.get(key)
            if plan is None:
                while len(ready.plans) >= MAX_PLANS:
                    ready.plans.popitem(last=False)
                weights = ready.weights
                try:
                    plan = Plan(
                        lambda own, out: self._prepare(weights, network, own, out, clip),
                        inputs,
                        ((images.shape[0], *images.shape[2:]), out_dtype),
                    )
                except torch.OutOfMemoryError:
                    raise
                except Exception as error:  # whatever the compiler's tools meet on a machine
                    self._refused[network] = True
                    warnings.warn(
                        f"{self._title}'s CUDA kernels can't be built here "
                        f"({type(error).__name__}: {error}); the plain network runs instead",
                        RuntimeWarning,
                        stacklevel=3,
                    )
                    return None
                ready.plans[key] = plan
            ready.plans.move_to_end(key)
            return plan(inputs)


class _Ready(NamedTuple, Generic[Packed]):
    signature: _Signature
    weights: Packed
    plans: "OrderedDict[tuple[object, ...], Plan]"
