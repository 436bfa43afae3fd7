"""The loop over a sequence: frames in, brackets, fused pictures out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from baselines import CameraResponse, Method
from dmef_bench.errors import ScenesFailedError
from dmef_bench.fuse_pictures import fuse_pictures, order_warning
from dmef_bench.fuse_sequence.exposures import EVPattern
from dmef_bench.fuse_sequence.frames import Frames
from dmef_bench.fuse_sequence.results import Results
from dmef_bench.picture_files import Picture
from dmef_bench.progress import progress_bar

_LENGTH = 3


@dataclass(frozen=True)
class SequenceOptions:
    """How brackets are cut from a sequence.

    Attributes:
        sliding: one result a frame, from it and its neighbours; otherwise one for every three
            frames, none of them used twice.
        limit: the most results; None for all.
        precision: "float32", "bfloat16" or "float16" tensors for the method's network.
        quiet: show no progress.
    """

    sliding: bool = False
    limit: int | None = None
    precision: str = "float32"
    quiet: bool = False


@dataclass(frozen=True)
class SequenceResult:
    """What was done.

    Attributes:
        results: pictures there are now.
        kept: those among them that an earlier run had finished.
        left_over: frames at the end that made no bracket.
    """

    results: int
    kept: int
    left_over: int


def fuse_sequence(
    method: Method,
    frames: Frames,
    pattern: EVPattern,
    results: Results,
    options: SequenceOptions,
    response: CameraResponse | None = None,
    remark: Callable[[str], None] = print,
) -> SequenceResult:
    """Fuse a sequence of alternating exposures.

    Three successive frames are a bracket; the mid among them is the reference, whose geometry the
    result has. With `sliding` the first and the last result are those of the first and the last
    three frames, so that there are as many results as frames.

    Args:
        method: loaded.
        frames: open.
        pattern: their EVs.
        results: open.
        options: how brackets are cut.
        response: the camera response model, for methods that need it.
        remark: called with what a person should know.

    Raises:
        ScenesFailedError: the method failed; the results before are kept.
        UsageError: frames of two sizes, or without three different exposures.
        IntegrityError: a frame can't be decoded; the results before are kept.
    """
    total = frames.count if options.sliding else frames.count // _LENGTH
    kept = done = 0
    made_of, picture, warned = -1, None, False
    with progress_bar(quiet=options.quiet) as bar:
        task = bar.add_task("pictures", total=min(total, options.limit or total))
        for number, first in enumerate(islice(_starts(frames, options), options.limit)):
            if results.has(number):
                kept += 1
            else:
                if made_of != first:
                    bracket = _Bracket(frames, pattern, first)
                    # Also later ones: one missing frame shifts all exposures after it.
                    if not warned and (warning := bracket.warning()):
                        remark(f"warning: {warning}")
                        warned = True
                    picture, made_of = bracket.fuse(method, response, options.precision), first
                if picture is not None:
                    results.write(number, picture)
            done = number + 1
            bar.update(task, completed=done)
    whole = options.sliding or done == options.limit
    return SequenceResult(done, kept, 0 if whole else frames.count - _LENGTH * done)


def _starts(frames: Frames, options: SequenceOptions) -> Iterator[int]:
    """The first frame of each result's bracket."""
    first = 0
    while frames.has(first + _LENGTH - 1):
        yield first
        if options.sliding and not first:
            yield first
        first += 1 if options.sliding else _LENGTH
    if options.sliding and first:
        yield first - 1


class _Bracket:
    def __init__(self, frames: Frames, pattern: EVPattern, first: int) -> None:
        places, self._evs = pattern.bracket(first)
        self._names = [frames.name(place) for place in places]
        self._pictures: list[Picture] = [frames.read(place) for place in places]

    def warning(self) -> str | None:
        return order_warning(self._names, self._pictures)

    def fuse(self, method: Method, response: CameraResponse | None, precision: str) -> Picture:
        try:
            return fuse_pictures(method, self._pictures, self._evs, response, precision)
        except ScenesFailedError as error:
            raise ScenesFailedError(f"{self._names[1]}: {error}") from error
