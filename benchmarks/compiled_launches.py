"""What IPL and IPL+ launch on a GPU, compiled for an H200 without one.

The launches of the shipped configurations are recorded on tensors without memory; each different
one is then compiled to machine code for compute capability 9.0.
"""

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import triton  # type: ignore[import-untyped,unused-ignore]
from triton.backends.compiler import GPUTarget  # type: ignore[import-untyped,unused-ignore]
from triton.compiler import ASTSource  # type: ignore[import-untyped,unused-ignore]

from dmef_bench.gpu.plans import Launches
from dmef_bench.ipl import IPL
from dmef_bench.ipl.fast.cuda import kernels as ipl_kernels
from dmef_bench.ipl.fast.cuda.launches import Launches as IPLLaunches
from dmef_bench.ipl.fast.cuda.packing import PackedNetwork as PackedIPL
from dmef_bench.ipl_plus import IPLPlus
from dmef_bench.ipl_plus.cuda import (
    brightness_kernels,
    convolution_kernels,
    judge_kernels,
    motion_kernels,
)
from dmef_bench.ipl_plus.cuda.launches import Launches as IPLPlusLaunches
from dmef_bench.ipl_plus.cuda.packing import PackedNetwork as PackedIPLPlus

PLUS_KERNELS = (brightness_kernels, motion_kernels, convolution_kernels, judge_kernels)
SHAPE_4K = (1, 3, 3, 2160, 3840)
_CUOBJDUMP = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
_POINTERS = {
    torch.bfloat16: "*bf16", torch.float16: "*fp16", torch.float32: "*fp32", torch.uint8: "*u8",
}  # fmt: skip
_OPTIONS = ("num_warps", "num_stages")
# Of each argument its name, its type, and its constant or whether 16 divides it.
_Described = tuple[tuple[str, str, Any], ...]


@dataclass(frozen=True)
class Machine:
    """Machine code of a launch.

    Attributes:
        instructions: their text in order.
        addresses: of the instructions, bytes.
        registers: of a thread.
        stack_bytes: what a thread spills.
        shared_bytes: of a program.
        matrix_instructions: of a warpgroup (`wgmma`).
    """

    instructions: list[str]
    addresses: list[int]
    registers: int
    stack_bytes: int
    shared_bytes: int
    matrix_instructions: int


@dataclass
class Launch:
    """A kernel with one set of types, constants and options.

    Attributes:
        name: of the kernel.
        constants: by name.
        options: `num_warps`, `num_stages`.
        grids: one for each time it is launched.
    """

    name: str
    kernel: Any
    described: _Described
    options: dict[str, int]
    grids: list[tuple[int, ...]] = field(default_factory=list)

    @property
    def constants(self) -> dict[str, Any]:
        """By name."""
        return {name: value for name, kind, value in self.described if kind == "constexpr"}

    def compiled(self) -> Machine:
        """Its machine code."""
        aligned = {
            (place,): [["tt.divisibility", 16]]
            for place, (_, kind, divisible) in enumerate(self.described)
            if kind != "constexpr" and divisible
        }
        source = ASTSource(
            self.kernel, {name: kind for name, kind, _ in self.described}, self.constants, aligned
        )
        made = triton.compile(source, target=GPUTarget("cuda", 90, 32), options=self.options)
        with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
            Path(file.name).write_bytes(made.asm["cubin"])
            usage, code = (
                _told(option, file.name) for option in ("--dump-resource-usage", "-sass")
            )
        lines = re.findall(r"^\s*/\*([0-9a-f]{4,})\*/\s*([^/]*?)\s*;", code, re.MULTILINE)
        return Machine(
            instructions=[text for _, text in lines],
            addresses=[int(address, 16) for address, _ in lines],
            registers=_number(r"REG:(\d+)", usage),
            stack_bytes=_number(r"STACK:(\d+)", usage),
            shared_bytes=made.metadata.shared,
            matrix_instructions=made.asm["ptx"].count("wgmma.mma_async"),
        )


def of_ipl(
    dtype: torch.dtype = torch.bfloat16,
    shape: tuple[int, ...] = SHAPE_4K,
    pictures: torch.dtype = torch.bfloat16,
) -> list[Launch]:
    """IPL's different launches for brackets of one shape.

    Args:
        dtype: of the network.
        shape: (B, 3, 3, H, W).
        pictures: what goes in and comes out.
    """
    network = IPL().eval().to("meta", dtype)
    images = torch.empty(shape, dtype=pictures, device="meta")
    out = torch.empty_like(images[:, 0])
    weights = PackedIPL(network)
    launches = IPLLaunches(weights, network.config, images, out, clip=True)
    return _recorded([ipl_kernels], launches)


def of_ipl_plus(
    dtype: torch.dtype = torch.bfloat16,
    shape: tuple[int, ...] = SHAPE_4K,
    pictures: torch.dtype = torch.bfloat16,
) -> list[Launch]:
    """The same of IPL+."""
    network = IPLPlus().eval().to("meta", dtype)
    images = torch.empty(shape, dtype=pictures, device="meta")
    start = torch.empty(3, network.config.knots, device="meta")
    out = torch.empty_like(images[:, 0])
    weights = PackedIPLPlus(network)
    launches = IPLPlusLaunches(weights, network.config, images, start, out, clip=True)
    return _recorded(PLUS_KERNELS, launches)


def _recorded(modules: Sequence[ModuleType], launches: Launches) -> list[Launch]:
    """All different launches of one run; kernels are attributes of these modules."""
    found: dict[Any, Launch] = {}
    kept = [
        (module, name, value)
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, triton.JITFunction)
    ]
    try:
        for module, name, kernel in kept:
            setattr(module, name, _Recorder(name, kernel, found))
        with torch.inference_mode():
            launches.run()
    finally:
        for module, name, kernel in kept:
            setattr(module, name, kernel)
    return list(found.values())


class _Recorder:
    """Stands where a kernel was and keeps what it is launched with."""

    def __init__(self, name: str, kernel: Any, launches: dict[Any, Launch]) -> None:
        self._name, self._kernel, self._launches = name, kernel, launches

    def __getitem__(self, grid: tuple[int, ...]) -> Callable[..., None]:
        def record(*arguments: Any, **named: Any) -> None:
            options = {name: named.pop(name) for name in _OPTIONS if name in named}
            described = tuple(self._described(arguments, named))
            key = (self._name, described, tuple(options.items()))
            launch = Launch(self._name, self._kernel, described, options)
            self._launches.setdefault(key, launch).grids.append(grid)

        return record

    def _described(
        self, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> Iterator[tuple[str, str, Any]]:
        """As a launch would specialise: ones are constants, multiples of 16 are marked."""
        for parameter, value in zip(self._kernel.params, arguments, strict=False):
            name = parameter.name
            if isinstance(value, torch.Tensor):
                yield name, _POINTERS[value.dtype], True
            elif isinstance(value, float):
                yield name, "fp32", False
            elif parameter.do_not_specialize:
                yield name, "i32", False
            elif value == 1:
                yield name, "constexpr", 1
            else:
                yield name, "i32", value % 16 == 0
        for name, value in named.items():
            yield name, "constexpr", value


def _told(option: str, file: str) -> str:
    done = subprocess.run([_CUOBJDUMP, option, file], capture_output=True, text=True, check=True)
    return done.stdout


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"cuobjdump says nothing like {pattern}")
    return int(found[1])
