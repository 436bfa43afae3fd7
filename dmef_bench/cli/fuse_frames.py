"""`dmef-bench fuse` on a folder or a video of alternating exposures."""

import dataclasses
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dmef_bench.cli.fuse_request import FuseRequest
from dmef_bench.cli.memory_size import parse_size
from dmef_bench.errors import UsageError

if TYPE_CHECKING:
    from baselines import Method
    from dmef_bench.fuse_sequence import EVPattern, Frames
    from dmef_bench.ipl import AttentionCache

_DEFAULT_TOLERANCE = 0.05


@dataclass(frozen=True)
class Options:
    """The options of `fuse` for sequences, as given."""

    sliding: bool
    cache: str | None
    cache_compression: str | None
    cache_memory: str | None
    fps: float | None
    overwrite: bool
    limit: int | None


def fuse(request: FuseRequest, source: Path, options: Options) -> None:
    """Fuse the sequence and report.

    Raises:
        UsageError: what was asked for does not fit together.
        IntegrityError: a frame can't be decoded.
        ScenesFailedError: the method failed.
    """
    from dmef_bench import __version__
    from dmef_bench.fuse_sequence import (
        SequenceOptions,
        fuse_sequence,
        open_frames,
        open_results,
        parse_pattern,
    )

    pattern = parse_pattern(request.ev) if request.ev is not None else None
    cache = _cache(options)
    if source.exists() and request.output.exists() and request.output.samefile(source):
        raise UsageError(f"{source} is what is to be fused; choose another output")
    method = request.load()
    if cache is not None:
        _use_cache(method, cache, request.method)
    with open_frames(source) as frames:
        pattern = pattern or _pattern(frames)
        request.remark(f"EVs {', '.join(f'{v:+g}' for v in pattern.values[:3])}: {pattern.source}")
        settings = {
            "dmef_bench": __version__,
            "method": method.info.name,
            "weights_sha256": method.weights_sha256,
            "device": method.device.type,
            "source_sha256": frames.identity,
            "evs": list(pattern.values),
            "response": None if request.response is None else repr(request.response),
            "sliding": options.sliding,
            "cache": None if cache is None else cache.description,
            "precision": request.precision,
            "linear": request.linear,
        }
        rate = Fraction(options.fps).limit_denominator(1001) if options.fps else frames.rate
        if not options.sliding and options.fps is None:
            rate /= 3
        # What these caches give depends on the pictures before: a resumed run would differ.
        resume = cache is None or cache.mode in ("off", "exact")
        started = time.perf_counter()
        with open_results(
            request.output, settings, rate, resume=resume, overwrite=options.overwrite
        ) as results:
            done = fuse_sequence(
                method,
                frames,
                pattern,
                results,
                SequenceOptions(options.sliding, options.limit, request.precision, request.quiet),
                request.response,
                request.remark,
            )
        seconds = time.perf_counter() - started
    if done.kept:
        request.remark(f"{done.kept} of {done.results} pictures were there already")
    if done.left_over:
        request.remark(f"{done.left_over} frames at the end make no bracket")
    facts: dict[str, object] = {
        "results": done.results,
        "kept": done.kept,
        "left_over_frames": done.left_over,
        "evs": pattern.values[:3],
        "evs_source": pattern.source,
        "seconds": round(seconds, 3),
    }
    if cache is not None:
        found = cache.statistics
        facts["cache"] = {"settings": cache.description, **dataclasses.asdict(found)}
        request.remark(
            f"cache {cache.mode}: {found.hits:,} blocks read, {found.misses:,} computed, "
            f"{found.evictions:,} dropped; {found.peak_bytes / 2**20:,.0f} MiB at most"
        )
    request.report(facts, method)


def _pattern(frames: "Frames") -> "EVPattern":
    from dmef_bench.fuse_sequence import FolderFrames
    from dmef_bench.fuse_sequence.exposures import ASSUMED, pattern_of_pictures

    return pattern_of_pictures(frames.paths) if isinstance(frames, FolderFrames) else ASSUMED


def _cache(options: Options) -> "AttentionCache | None":
    """The cache that the options describe; None where they ask for none.

    Raises:
        UsageError: an option says what no cache is.
    """
    if options.cache is None or options.cache == "off":
        for name, given in {
            "--cache-compression": options.cache_compression,
            "--cache-memory": options.cache_memory,
        }.items():
            if given is not None:
                raise UsageError(f"{name} needs a cache: --cache exact, say")
        return None
    from dmef_bench.ipl import AttentionCache

    mode, _, tolerance = options.cache.partition(":")
    kind, _, bits = (options.cache_compression or "quantised").partition(":")
    memory = parse_size("--cache-memory", options.cache_memory or "2GiB")
    try:  # the cache itself checks what is cast here
        if tolerance and mode != "approximate":
            raise ValueError(f"only approximate takes a tolerance, got {options.cache!r}")
        if bits and kind != "quantised":
            raise ValueError(f"only quantised takes bits, got {options.cache_compression!r}")
        cache = AttentionCache(
            cast(Any, mode),
            tolerance=_tolerance(tolerance) if mode == "approximate" else 0.0,
            bits=cast(Any, int(bits) if bits.isdecimal() else bits or 8),
            compression=cast(Any, kind),
            max_bytes=memory,
        )
    except ValueError as error:
        raise UsageError(f"--cache: {error}") from None
    return cache


def _tolerance(text: str) -> float:
    try:
        return float(text) if text else _DEFAULT_TOLERANCE
    except ValueError:
        raise ValueError(f"the tolerance of approximate is a number, got {text!r}") from None


def _use_cache(method: "Method", cache: "AttentionCache", name: str) -> None:
    """Give the cache to the method's network.

    Raises:
        UsageError: it has none, or the cache's coders were fitted to other weights.
    """
    from dmef_bench.ipl import IPL

    network = method.network()
    if not isinstance(network, IPL):
        raise UsageError(f"{name} has no attention cache; --cache is for ipl")
    made_for = None if cache.coders is None else cache.coders.weights_sha256
    if made_for is not None and made_for != method.weights_sha256:
        raise UsageError(
            f"--cache-compression {cache.compression}: its coders were fitted to the shipped "
            "weights, not to these; take quantised, or leave out --weights"
        )
    try:
        network.use_cache(cache)
    except ValueError as error:
        raise UsageError(f"--cache-compression: {error}") from None
