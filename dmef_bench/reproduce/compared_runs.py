"""Table 1's runs: a method on a track under a protocol, each scene written down when finished."""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmef_bench.dataset import Dataset
from dmef_bench.errors import DmefError, MissingError
from dmef_bench.evaluation import RunOptions, RunResult, Scorer, run_method
from dmef_bench.evaluation.options import DEFAULT_TILE
from dmef_bench.reproduce.contenders import Contender
from dmef_bench.reproduce.ledger import Ledger
from dmef_bench.reproduce.outcome import Protocol, Request, Status
from dmef_bench.reproduce.report import chosen_device, tell
from leaderboard.records import CostRecord, ProtocolRecord

PROTOCOLS: Final[tuple[Protocol, ...]] = ("paper", "tiled", "native")
# The paper's GPU has this much; a machine's other programs keep a quarter of what it has.
_BUDGET: Final = 24 * 2**30
_SHARE: Final = 0.75
# Pixels of a picture that no network needs the whole memory for.
_SMALL: Final = 2**20
# More than the threads of this process themselves.
_BUSY: Final = 0.5


@dataclass(frozen=True)
class Part:
    """A part of the table: one track under one protocol."""

    track: str
    protocol: Protocol

    @property
    def heading(self) -> str:
        """As it stands above the part."""
        return f"Track {self.track}, protocol {self.protocol}"

    @property
    def printed(self) -> bool:
        """Whether it is what the paper did, as far as is known: it has no camera's noise."""
        return self.protocol == "paper" and self.track != "camera"


@dataclass(frozen=True)
class Measured:
    """What came of a run.

    Attributes:
        contender: the method.
        status: "measured", "failed" or "not measured"; why: where not measured.
        result: of the run; None where it could not begin.
    """

    contender: Contender
    status: Status
    why: str = ""
    result: RunResult | None = None

    @property
    def fed(self) -> ProtocolRecord | None:
        """How it was fed."""
        return None if self.result is None else self.result.record.protocol

    @property
    def cost(self) -> CostRecord | None:
        """What a picture took."""
        return None if self.result is None else self.result.record.cost

    def mean(self, column: str) -> float | None:
        """Mean over the scenes of a figure of quality; None where it was not measured."""
        samples = () if self.result is None else self.result.samples
        known = [value for one in samples if (value := getattr(one, column)) is not None]
        return sum(known) / len(known) if known and self.status == "measured" else None


def parts(request: Request, dataset: Dataset) -> list[Part]:
    """Tracks that were asked for and are there, each under every protocol asked for.

    Raises:
        UsageError: the dataset does not have such a track.
    """
    tracks = [dataset.chosen_track(track) for track in request.comparison.tracks]
    protocols = request.comparison.protocols or PROTOCOLS
    return [Part(track, one) for track in tracks or dataset.tracks for one in protocols]


def default_budget() -> int:
    """Bytes for a call on a whole picture: the paper's GPU's, or most of this machine's."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(_BUDGET, int(_SHARE * whole) // 2**30 * 2**30 or whole)


class ComparedRuns:
    """Runs of one table; what lies on the disk is not measured again.

    Args:
        request: what was asked for.
        dataset: with the test scenes.
        scorer: of its scenes.
        book: gets the load of the machine before each run.
    """

    def __init__(self, request: Request, dataset: Dataset, scorer: Scorer, book: Ledger) -> None:
        self._request, self._dataset, self._scorer, self._book = request, dataset, scorer, book
        self._done: dict[tuple[str, str, Protocol], Measured] = {}

    def of(self, part: Part, found: list[Contender]) -> Iterator[Measured]:
        """What stands in a part: one after the other, run where that is not done.

        Under `paper` that is every method. Under `tiled` and `native` it is the bounds and the
        learned ones; of those whose paper resolution is the whole picture it is the run on that,
        in tiles only where it does not fit.
        """
        for one in found:
            if part.protocol != "paper" and not (one.bound or one.learned):
                continue
            if one.squeezed:
                yield self._run(one, part.track, part.protocol)
                continue
            whole = self._run(one, part.track, "native")
            too_large = whole.status == "not measured" and whole.result is not None
            if part.protocol == "tiled" and too_large:
                yield self._run(one, part.track, "tiled")
            else:
                yield whole

    def results(self, track: str) -> list[RunResult]:
        """Every run on a track that began."""
        return [
            measured.result
            for (_, its_track, _), measured in self._done.items()
            if its_track == track and measured.result is not None
        ]

    def busy(self) -> bool:
        """Whether the machine had other work before some run."""
        loads = [float(figures["load"]) for figures in self._book.done.values()]
        return max(loads, default=0.0) > len(os.sched_getaffinity(0)) + _BUSY

    def _run(self, one: Contender, track: str, protocol: Protocol) -> Measured:
        key = one.name, track, protocol
        if key not in self._done:
            self._done[key] = self._measure(one, track, protocol)
        return self._done[key]

    def _measure(self, one: Contender, track: str, protocol: Protocol) -> Measured:
        if one.method is None or one.status != "measured":
            return Measured(one, one.status, one.why)
        tell(f"{one.title}, track {track}, {protocol}", quiet=self._request.quiet)
        line = f"{one.name}@{(one.origin.sha256 or 'none')[:8]}/{track}-{protocol}"
        load = os.getloadavg()[0]
        try:
            result = run_method(
                one.method, self._dataset, self._scorer, self._options(one, track, protocol)
            )
        except MissingError:
            raise
        except DmefError as error:
            return Measured(one, "failed", str(error))
        if line not in self._book.done:
            self._book.add(line, {"load": round(load, 2)})
        if result.record.outcome == "out-of-memory":
            return Measured(one, "not measured", _too_large(result), result)
        if result.failed:
            first = result.failed[0]
            why = f"{len(result.failed)} of {len(result.samples)} scenes failed: {first.error}"
            return Measured(one, "failed", why, result)
        return Measured(one, "measured", "", result)

    def _options(self, one: Contender, track: str, protocol: Protocol) -> RunOptions:
        request, device = self._request, chosen_device(self._request.device)
        budget = request.comparison.memory_budget
        if budget is None and device.type == "cpu":
            # Where a GPU says that it is full, the kernel ends this process.
            budget = default_budget()
        record = self._dataset.scenes("test")[0].record
        pixels = math.prod(request.size or (record.height, record.width))
        tried = protocol == "native" and one.learned and pixels > _SMALL
        return RunOptions(
            results=self._folder,
            protocol=protocol,
            track=track,
            tile=request.comparison.tile or DEFAULT_TILE,
            memory_budget=budget if tried else None,
            device=device,
            weights=one.weights,
            pictures=0,
            limit=request.limit,
            quiet=request.quiet,
            command=request.command,
        )

    @property
    def _folder(self) -> Path:
        return self._book.folder / RUNS


RUNS: Final = "runs"


def _too_large(result: RunResult) -> str:
    first = result.failed[0].error if result.failed else "out of memory"
    return f"Does not fit as a whole: {first}."
