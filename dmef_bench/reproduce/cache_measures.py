"""Quality, time and memory of IPL under kinds of attention cache: empty, same picture, next one."""

import math
import os
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import torch
from torch import Tensor

from baselines import Bracket
from dmef_bench.errors import UsageError
from dmef_bench.evaluation import psnr, ssim, to_device, to_eight_bit
from dmef_bench.evaluation.method_call import failure, is_out_of_memory
from dmef_bench.evaluation.timing import Stopwatch
from dmef_bench.ipl import IPL, AttentionCache, IPLMethod
from dmef_bench.progress import progress_bar
from dmef_bench.reproduce.cache_pictures import Shot, Shots
from dmef_bench.reproduce.ledger import Ledger

State = Literal["cold", "same", "next"]
STATES: Final[tuple[State, ...]] = ("cold", "same", "next")
STATE_WORDS: Final[Mapping[State, str]] = {
    "cold": "empty cache",
    "same": "same picture again",
    "next": "next picture",
}
# Times are medians of so many turns through the states; quality is the same in each.
TURNS: Final = 3


@dataclass(frozen=True)
class Variant:
    """A way to run the network.

    Attributes:
        name: in the ledger. label: in the table.
        cache: makes an empty one; None for none.
        fast: whether the method may take its fast path, which no cache can use.
    """

    name: str
    label: str
    cache: Callable[[], AttentionCache] | None = None
    fast: bool = False

    @property
    def states(self) -> tuple[State, ...]:
        """Those that differ: without a cache a picture that comes again is as the first time."""
        return STATES if self.cache is not None else ("cold", "next")


PLAIN_OFF: Final = Variant("off-plain", "cache off, as written")
FAST_OFF: Final = Variant("off-fast", "cache off, as shipped", fast=True)


@dataclass(frozen=True)
class Measured:
    """Figures of a variant in a state, over all pictures.

    Attributes:
        psnr, ssim: means. seconds: median, None where no time was taken.
        hits: share of blocks read from the cache, in percent; megabytes: held afterwards, mean;
            both None without a cache.
    """

    psnr: float
    ssim: float
    seconds: float | None
    hits: float | None
    megabytes: float | None


def measure_variants(
    variants: tuple[Variant, ...],
    shots: Shots,
    method: IPLMethod,
    book: Ledger,
    *,
    times: bool,
    quiet: bool,
) -> dict[tuple[str, State], Measured]:
    """Measure each variant on every pair of pictures, or read from the ledger what is there.

    Args:
        variants: in the order in which they are run on a pair.
        shots: the pictures.
        method: loaded.
        book: gets a line for each variant and pair.
        times: whether to take times.
        quiet: no progress bar.

    Raises:
        UsageError: a cache whose coders were made for another network.
        OutOfMemoryError: a picture is too large.
    """
    work = _Work(method, times=times)
    with progress_bar(quiet=quiet) as bar:
        task = bar.add_task("pictures and caches", total=shots.count * len(variants))
        for position in range(shots.count):
            missing = [v for v in variants if _line(v, position) not in book.done]
            bar.advance(task, len(variants) - len(missing))
            pair = shots.pair(position) if missing else None
            for variant in missing:
                bar.update(task, description=f"{variant.label}, picture {position + 1}")
                if pair is not None:
                    book.add(_line(variant, position), work.on(variant, *pair))
                bar.advance(task)
    return {
        (variant.name, state): _together(
            [book.done[_line(variant, n)][state] for n in range(shots.count)]
        )
        for variant in variants
        for state in variant.states
    }


def highest_load(book: Ledger) -> float:
    """The largest load average of the machine that was seen just before a measurement."""
    return max((float(figures["load"]) for figures in book.done.values()), default=0.0)


def _line(variant: Variant, position: int) -> str:
    return f"{variant.name}/{position}"


class _Work:
    def __init__(self, method: IPLMethod, *, times: bool) -> None:
        network = method.network()
        if network is None:
            raise RuntimeError("call load() first")
        self._method, self._network, self._times = method, network, times

    def on(self, variant: Variant, first: Shot, second: Shot) -> dict[str, Any]:
        """The figures of one variant on one pair, by state."""
        load = os.getloadavg()[0]
        cache = None if variant.cache is None else variant.cache()
        _use(self._network, cache)
        try:
            self._fuse(variant, to_device(first.bracket, self._method.device))  # warms up
            turns = [
                self._turn(variant, first, second, cache)
                for _ in range(TURNS if self._times else 1)
            ]
        finally:
            self._network.use_cache(None)
        found: dict[str, Any] = {"load": round(load, 2)}
        for state in variant.states:
            found[state] = turns[0][state]
            if self._times:
                seconds = [turn[state]["seconds"] for turn in turns]
                found[state]["seconds"] = statistics.median(seconds)
        return found

    def _turn(
        self, variant: Variant, first: Shot, second: Shot, cache: AttentionCache | None
    ) -> dict[State, dict[str, Any]]:
        """Every state once, from an empty cache on."""
        if cache is not None:
            cache.clear()
        return {
            state: self._once(variant, second if state == "next" else first, cache)
            for state in variant.states
        }

    def _once(self, variant: Variant, shot: Shot, cache: AttentionCache | None) -> dict[str, Any]:
        before = None if cache is None else cache.statistics
        bracket = to_device(shot.bracket, self._method.device)
        watch = Stopwatch(self._method.device)
        with watch:
            fused = self._fuse(variant, bracket)
        picture = to_eight_bit(fused)
        figures: dict[str, Any] = {
            "psnr": _kept(psnr(picture, shot.truth)),
            "ssim": ssim(picture, shot.truth),
            "seconds": watch.seconds if self._times else None,
        }
        if cache is not None and before is not None:
            after = cache.statistics
            figures["hits"] = after.hits - before.hits
            figures["misses"] = after.misses - before.misses
            figures["bytes"] = after.bytes
        return figures

    def _fuse(self, variant: Variant, bracket: Bracket) -> Tensor:
        try:
            if variant.fast:
                return self._method.fuse(bracket)
            with torch.inference_mode():
                fused: Tensor = self._network(bracket.images)
                return fused.clamp_(0, 1)
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                raise failure(error) from error
            raise


def _use(network: IPL, cache: AttentionCache | None) -> None:
    try:
        network.use_cache(cache)
    except ValueError as error:
        raise UsageError(
            f"{error}; fit coders to these weights with `python -m "
            "dmef_bench.training.cache_coders`, or leave --weights out"
        ) from None


def _kept(value: float) -> float | str:
    return "Infinity" if value == math.inf else value


def _together(lines: list[dict[str, Any]]) -> Measured:
    seconds = [line["seconds"] for line in lines if line["seconds"] is not None]
    cached = "hits" in lines[0]
    hits = sum(line["hits"] for line in lines) if cached else 0
    blocks = hits + sum(line["misses"] for line in lines) if cached else 0
    return Measured(
        psnr=statistics.fmean(float(line["psnr"]) for line in lines),
        ssim=statistics.fmean(line["ssim"] for line in lines),
        seconds=statistics.median(seconds) if seconds else None,
        hits=100 * hits / blocks if blocks else None,
        megabytes=statistics.fmean(line["bytes"] for line in lines) / 1e6 if cached else None,
    )
