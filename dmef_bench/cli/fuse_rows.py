"""`dmef-bench fuse` on pictures of any size, by strips."""

import time
from pathlib import Path

from dmef_bench.cli.fuse_request import FuseRequest
from dmef_bench.cli.memory_size import parse_size
from dmef_bench.errors import UsageError


def wanted(request: FuseRequest, paths: tuple[Path, ...], max_memory: str | None) -> bool:
    """Whether three pictures are to be fused by strips: asked for, or there is no other way."""
    if max_memory is not None:
        return True
    from dmef_bench.fuse_by_strips import must_stream

    return request.method == "ipl" and must_stream(paths, request.output)


def fuse(request: FuseRequest, paths: tuple[Path, Path, Path], max_memory: str | None) -> None:
    """Fuse them and report.

    Raises:
        UsageError: not with this method, device or kind of file, or in too little memory.
        IntegrityError: a file is damaged.
    """
    from dmef_bench.exposure_values import ExposureValues, exposure_values, parse_evs
    from dmef_bench.fuse_by_strips import DEFAULT_MAX_MEMORY, fuse_by_strips, open_bracket
    from dmef_bench.fuse_pictures import order_warning
    from dmef_bench.ipl import IPL

    memory = DEFAULT_MAX_MEMORY if max_memory is None else parse_size("--max-memory", max_memory)
    if request.device not in ("auto", "cpu"):
        raise UsageError(f"--device {request.device}: fusing by strips runs on the CPU")
    if request.precision != "float32":
        raise UsageError("--precision: fusing by strips runs in fp32")
    values = ExposureValues(parse_evs(request.ev), "--ev") if request.ev is not None else None
    method = request.load("cpu")
    network = method.network()
    if not isinstance(network, IPL):
        raise UsageError(f"{request.method} can't fuse by strips; --max-memory is for ipl")
    with open_bracket(paths) as bracket:
        values = values or exposure_values(paths)
        if warning := order_warning(paths, bracket.sampled()):
            request.remark(f"warning: {warning}")
        started = time.perf_counter()
        fuse_by_strips(network, bracket, request.output, memory, quiet=request.quiet)
        seconds = time.perf_counter() - started
        facts = {
            "width": bracket.width,
            "height": bracket.height,
            "bits": 8 * bracket.dtype.itemsize,
            "evs": values.evs,
            "evs_source": values.source,
            "max_memory": memory,
            "seconds": round(seconds, 3),
        }
    request.report(facts, method)
