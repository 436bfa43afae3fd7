"""How long a method takes on one size of picture: cold, warm, streaming, and all around it."""

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from torch import Tensor

from baselines import Bracket, resolve
from dmef_bench.errors import UsageError
from dmef_bench.evaluation.eight_bit import to_eight_bit
from dmef_bench.evaluation.inference import to_device
from dmef_bench.evaluation.machine import describe_machine, software_versions
from dmef_bench.evaluation.memory import PeakMemory
from dmef_bench.evaluation.method_call import MethodCall, MethodFailedError, OutOfMemoryError
from dmef_bench.evaluation.ready_method import ready_method
from dmef_bench.evaluation.timing import Stopwatch, spread
from dmef_bench.evaluation.timing_pictures import as_bracket, timing_bracket
from dmef_bench.ipl import IPL, ArrayRows, AttentionCache, TooLittleMemoryError, fuse_stream
from dmef_bench.ipl.attention_cache import Mode
from dmef_bench.picture_files import decode_picture, encode_png
from leaderboard.records import Spread

R = TypeVar("R")
_HOST: Final = torch.device("cpu")


@dataclass(frozen=True)
class TimeOptions:
    """What is timed, and how often.

    Attributes:
        method: name, or file and class, as `baselines.resolve` takes it.
        weights: file of weights; the shipped ones where None.
        device: by its name.
        precision: "float32", "bfloat16" or "float16".
        repeats: timed warm calls.
        caches: modes of the attention cache, IPL alone; "off" is timed anyway.
        tolerance: of mode "approximate".
        stream_bytes: bound of memory for streaming.
    """

    method: str = "ipl"
    weights: Path | None = None
    device: str = "cpu"
    precision: str = "float32"
    repeats: int = 3
    caches: tuple[Mode, ...] = ()
    tolerance: float = 0.05
    stream_bytes: int = 2**30


@dataclass(frozen=True)
class CacheTimes:
    """One mode of the attention cache; seconds of one call each.

    Attributes:
        mode: of the cache.
        first_seconds: into the empty cache.
        same_picture_seconds: the same picture again, median.
        next_picture_seconds: the picture 1/10 s later.
        next_picture_hits: blocks read from the cache then, of `blocks`.
        blocks: of one picture.
        cache_bytes: held at the end.
    """

    mode: str
    first_seconds: float
    same_picture_seconds: float
    next_picture_seconds: float
    next_picture_hits: int
    blocks: int
    cache_bytes: int


@dataclass(frozen=True)
class StreamTimes:
    """A picture fused by bands of rows.

    Attributes:
        seconds: of one call, conversion from 8 bit included.
        max_bytes: the bound that was set.
        peak_bytes: above what the process held before; None where the kernel does not tell.
    """

    seconds: float
    max_bytes: int
    peak_bytes: int | None


@dataclass(frozen=True)
class CallTimes:
    """Seconds at one size; every figure from a process of its own for that size.

    Attributes:
        height: of the picture.
        width: of the picture.
        decode: three PNG files in memory to 8-bit pixels.
        to_float: 8 bit to float32 planes in [0, 1].
        upload: host to device; None on a CPU.
        load: the method with its weights.
        cold: the first call in the process, with all that is built or compiled for it.
        warm: later calls on the same picture.
        warm_processor: processor seconds of such a call, over all cores; what other work on the
            machine changes least.
        next_picture: later calls on pictures that were not seen before.
        download: device to host, as floats; None on a CPU.
        to_eight_bit: clipping and rounding of the result.
        peak_bytes: during the first call, above what was held before it.
        memory_kind: "cuda" (allocator) or "rss" (resident set).
        relative_error: of the result against float32 in the Frobenius norm; None in float32.
        largest_error: the largest difference from float32; None in float32.
        caches: one entry for each mode asked for.
        streaming: None where the method can't stream.
        machine: where it ran; `leaderboard.records.MachineRecord`.
        software: versions.
        load_average: of the machine in the last minute when it ended; above the number of cores,
            the seconds are those of a machine that had other work.
        weights_sha256: of the weights; None without.
    """

    height: int
    width: int
    decode: Spread | None
    to_float: Spread | None
    upload: Spread | None
    load: float
    cold: float
    warm: Spread | None
    warm_processor: float
    next_picture: Spread | None
    download: Spread | None
    to_eight_bit: Spread | None
    peak_bytes: int | None
    memory_kind: str
    relative_error: float | None
    largest_error: float | None
    caches: tuple[CacheTimes, ...]
    streaming: StreamTimes | None
    machine: dict[str, Any]
    software: dict[str, str]
    load_average: float
    weights_sha256: str | None


def time_alone(options: TimeOptions, height: int, width: int) -> CallTimes:
    """`time_calls` in a process of its own, so that cold is cold and a peak this size's.

    Raises:
        UsageError, MissingError: as `ready_method`. MethodFailedError, OutOfMemoryError: the
            method can't take the size.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as alone:
        try:
            return alone.submit(time_calls, options, height, width).result()
        except BrokenProcessPool as error:
            raise OutOfMemoryError("its process was killed, as for want of memory") from error


def time_calls(options: TimeOptions, height: int, width: int) -> CallTimes:
    """Time a method at one size; see `CallTimes` for what is in the result.

    Raises:
        UsageError: a cache was asked for with a method that is no IPL, or as `ready_method`.
        MethodFailedError: the method raised, or `stream_bytes` is too little to stream in.
        OutOfMemoryError: it is too large.
    """
    files = [encode_png(picture) for picture in timing_bracket(height, width, 0)]
    decode, pictures = _timed(
        _HOST, options.repeats, lambda: [decode_picture(f, Path("generated.png")) for f in files]
    )
    to_float, host = _timed(_HOST, options.repeats, lambda: as_bracket(pictures))
    load = Stopwatch(torch.device(options.device))
    with load:
        method = ready_method(
            resolve(options.method), options.weights, torch.device(options.device)
        )
        call = MethodCall(method, options.precision)
    device = method.device
    on_gpu = device.type == "cuda"
    network = method.network()
    if options.caches and not isinstance(network, IPL):
        raise UsageError(f"{method.info.name} has no attention cache; leave --cache out")
    upload, bracket = _timed(device, options.repeats, lambda: to_device(host, device))
    memory = PeakMemory(device)
    with memory:
        cold, _ = _timed(device, 1, lambda: call(bracket))
    started = time.process_time()
    warm, fused = _timed(device, options.repeats, lambda: call(bracket))
    processor = (time.process_time() - started) / options.repeats
    following = _following(options, height, width, device)
    moving = [_timed(device, 1, partial(call, one))[0][0] for one in following]
    download, on_host = _timed(device, options.repeats, fused.cpu)
    rounding, _ = _timed(device, options.repeats, lambda: to_eight_bit(on_host))
    error = _error(options, device, bracket, fused)
    caches: tuple[CacheTimes, ...] = ()
    streaming: StreamTimes | None = None
    if isinstance(network, IPL):
        caches = tuple(
            _cached(options, mode, call, network, bracket, following[0]) for mode in options.caches
        )
        if not on_gpu and options.precision == "float32":
            streaming = _streamed(network, pictures, options.stream_bytes)
    return CallTimes(
        height=height,
        width=width,
        decode=spread(decode),
        to_float=spread(to_float),
        upload=spread(upload) if on_gpu else None,
        load=load.seconds,
        cold=cold[0],
        warm=spread(warm),
        warm_processor=processor,
        next_picture=spread(moving),
        download=spread(download) if on_gpu else None,
        to_eight_bit=spread(rounding),
        peak_bytes=memory.bytes,
        memory_kind=memory.kind,
        relative_error=error[0] if error else None,
        largest_error=error[1] if error else None,
        caches=caches,
        streaming=streaming,
        machine=describe_machine(device).model_dump(),
        software=software_versions(),
        load_average=round(os.getloadavg()[0], 1),
        weights_sha256=method.weights_sha256,
    )


def _timed(device: torch.device, repeats: int, work: Callable[[], R]) -> tuple[list[float], R]:
    """Seconds of each repeat, and what the last one returned."""
    seconds = []
    for _ in range(repeats):
        watch = Stopwatch(device)
        with watch:
            result = work()
        seconds.append(watch.seconds)
    return seconds, result


def _following(
    options: TimeOptions, height: int, width: int, device: torch.device
) -> Sequence[Bracket]:
    """Pictures that come after the first one; two are enough to tell one from a coincidence."""
    return [
        to_device(as_bracket(timing_bracket(height, width, number)), device)
        for number in range(1, 1 + min(2, options.repeats))
    ]


def _error(
    options: TimeOptions, device: torch.device, bracket: Bracket, fused: Tensor
) -> tuple[float, float] | None:
    if options.precision == "float32":
        return None
    method = ready_method(resolve(options.method), options.weights, device)
    exact = MethodCall(method, "float32")(bracket)
    difference = fused - exact
    return float(difference.norm() / exact.norm()), float(difference.abs().max())


def _cached(
    options: TimeOptions,
    mode: Mode,
    call: MethodCall,
    network: IPL,
    bracket: Bracket,
    following: Bracket,
) -> CacheTimes:
    device = call.method.device
    cache = AttentionCache(mode, tolerance=options.tolerance)
    network.use_cache(cache)
    try:
        call(bracket)  # the first call that goes block by block: libraries set themselves up
        cache.clear()
        first, _ = _timed(device, 1, lambda: call(bracket))
        blocks = cache.statistics.hits + cache.statistics.misses
        same, _ = _timed(device, options.repeats, lambda: call(bracket))
        before = cache.statistics.hits
        later, _ = _timed(device, 1, lambda: call(following))
        held = cache.statistics
    finally:
        network.use_cache(None)
    median = spread(same)
    return CacheTimes(
        mode=mode,
        first_seconds=first[0],
        same_picture_seconds=median.median if median else first[0],
        next_picture_seconds=later[0],
        next_picture_hits=held.hits - before,
        blocks=blocks,
        cache_bytes=held.bytes,
    )


def _streamed(network: IPL, pictures: Sequence[Any], max_bytes: int) -> StreamTimes:
    """One call of `fuse_stream` from 8-bit pictures in memory; what it writes is dropped."""
    device = torch.device("cpu")
    memory = PeakMemory(device)
    rows = ArrayRows(*pictures)
    try:
        with memory:
            seconds, _ = _timed(
                device,
                1,
                lambda: fuse_stream(network, rows, lambda _first, _rows: None, max_bytes=max_bytes),
            )
    except TooLittleMemoryError as error:
        raise MethodFailedError(f"{error}; give more with --max-memory") from error
    return StreamTimes(seconds=seconds[0], max_bytes=max_bytes, peak_bytes=memory.bytes)
