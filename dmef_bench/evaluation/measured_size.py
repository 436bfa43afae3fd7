"""What a run asks about sizes under a memory budget; tried in child processes."""

from typing import Final

from baselines import Method
from dmef_bench.errors import UsageError
from dmef_bench.evaluation.max_resolution import (
    Attempt,
    KeptAttempts,
    ProbeRequest,
    probe,
)
from dmef_bench.evaluation.method_call import OutOfMemoryError
from dmef_bench.evaluation.method_source import spec_of
from dmef_bench.evaluation.options import RunOptions
from dmef_bench.progress import progress_bar

# A 4K picture is no wider: beyond it nothing is left to gain.
_LARGEST_SIDE: Final = 4096


def measured_size(method: Method, options: RunOptions) -> tuple[int, int]:
    """The largest (height, width) that a method takes within the budget of a run.

    Raises:
        UsageError: there is no budget, or not even the smallest picture fits.
        MissingError: the outcome of a try can't be written down.
    """
    attempts = _attempts(method, options)
    name = method.info.name
    with progress_bar(quiet=options.quiet) as bar:
        task = bar.add_task(f"{name}: maximum resolution", total=None)

        def attempt(height: int, width: int) -> Attempt:
            bar.update(task, description=f"{name}: does {width}×{height} fit?")
            return attempts(height, width)

        found = probe(
            method.info.size,
            attempts.budget,
            attempt,
            aspect="16:9" if options.resolution == "probed-16:9" else "square",
            largest=_LARGEST_SIDE,
        )
    if found.size is None:
        reason = found.refused.reason if found.refused else "nothing was tried"
        raise UsageError(
            f"{name}: not even its smallest picture fits --memory-budget "
            f"{options.memory_budget}: {reason}"
        )
    return found.size


def check_within_budget(method: Method, options: RunOptions, size: tuple[int, int]) -> None:
    """Try a call of a run, (height, width), under its budget.

    Raises:
        OutOfMemoryError: it does not fit; the message is one line.
        MissingError: the outcome can't be written down.
    """
    tried = _attempts(method, options)(*method.info.size.fit(*size))
    if tried.outcome in ("out-of-memory", "killed"):
        raise OutOfMemoryError(
            f"out of memory: {tried.width}×{tried.height} does not fit --memory-budget "
            f"{options.memory_budget} ({tried.reason})"
        )


def _attempts(method: Method, options: RunOptions) -> KeptAttempts:
    if options.memory_budget is None:
        raise UsageError("--resolution probed needs --memory-budget, for example 8GiB")
    weights = None if options.weights is None else options.weights.absolute()
    request = ProbeRequest(
        method=spec_of(type(method)),
        weights=weights,
        device=str(method.device),
        budget=options.memory_budget,
        precision=options.precision,
        linear=options.linear,
    )
    return KeptAttempts(request, method)
