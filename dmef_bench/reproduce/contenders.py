"""Table 1's methods: those of the paper, the bounds, and every other one there is."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from baselines import Method, MethodError, MethodInfo, available, resolve
from baselines.learned import LearnedMethod
from dmef_bench.errors import DmefError, MissingError, UsageError
from dmef_bench.evaluation import WeightsMissingError, ready_method
from dmef_bench.reproduce.outcome import Request, Status
from dmef_bench.reproduce.report import chosen_device, tell
from dmef_bench.reproduce.trained import train_here, training_name
from dmef_bench.reproduce.weights_origin import WeightsOrigin, weights_origin
from dmef_bench.training import RECIPES, Source
from leaderboard.published import TABLE_1, PublishedRow

_NONE: Final = WeightsOrigin("none")


@dataclass(frozen=True)
class Contender:
    """A method of the table.

    Attributes:
        name: on the command line. printed: the paper's row.
        method: its class; None where it can't be had.
        weights: the file it is loaded from; None for those it ships.
        origin: of the weights.
        to_train: whether it has no weights yet and can be trained.
        status, why: where it can't be measured.
    """

    name: str
    printed: PublishedRow | None
    method: type[Method] | None = None
    weights: Path | None = None
    origin: WeightsOrigin = _NONE
    to_train: bool = False
    status: Status = "measured"
    why: str = ""

    @property
    def info(self) -> MethodInfo | None:
        """What the method says of itself."""
        return None if self.method is None else self.method.info

    @property
    def title(self) -> str:
        """As a table shows it."""
        return self.name if self.info is None else self.info.title

    @property
    def squeezed(self) -> bool:
        """Whether the paper fed it with less than the whole picture."""
        resolution = None if self.info is None else self.info.paper_resolution
        return resolution is not None

    @property
    def learned(self) -> bool:
        """Whether it has a network."""
        return self.info is not None and self.info.kind == "learned"

    @property
    def bound(self) -> bool:
        """Whether it only puts the others in proportion."""
        return self.info is not None and self.info.kind == "bound"


def contenders(request: Request) -> list[Contender]:
    """Every method that was asked for, with its weights where it has some.

    Raises:
        UsageError: an unknown method, or weights for a method that is not compared.
    """
    found = [_found(name, request) for name in _names(request)]
    unknown = sorted(set(request.weights) - {one.name for one in found})
    if unknown:
        raise UsageError(
            f"--weights {unknown[0]}=...: table1 does not compare it; it compares "
            + ", ".join(one.name for one in found)
        )
    order = {row.method: place for place, row in enumerate(TABLE_1.rows)}
    return sorted(found, key=lambda one: (not one.bound, order.get(one.name, len(order))))


def with_weights(one: Contender, source: Source, request: Request, folder: Path) -> Contender:
    """The same with weights that were trained here, or with the reason why there are none.

    Args:
        one: to be trained.
        source: the data.
        request: holds the budget.
        folder: holds a folder for each training; one that was killed goes on.

    Raises:
        MissingError: the disk is full or can't be written.
    """
    if one.method is None:
        return one
    tell(f"{one.title}: no weights, so it is trained", quiet=request.quiet)
    try:
        report = train_here(
            RECIPES[one.name], source, request, folder / training_name(one.name, source, request)
        )
        method = ready_method(one.method, report.weights, chosen_device("cpu"))
    except (MissingError, OSError):
        raise
    except DmefError as error:
        return replace(one, status="failed", why=f"Its training failed: {error}")
    except Exception as error:  # the hours of the others are worth more than a traceback
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return replace(one, status="failed", why=f"Its training failed: {said}")
    origin = weights_origin(method, report.weights, trained=True)
    return replace(one, weights=report.weights, origin=origin)


def _names(request: Request) -> list[str]:
    """As asked for; variants of another method, which take its weights, only if named."""
    if request.comparison.methods:
        return list(dict.fromkeys(request.comparison.methods))
    listed = [name for name, info in available() if isinstance(info, MethodError) or _own(name)]
    return list(dict.fromkeys(listed))


def _own(name: str) -> bool:
    method = resolve(name)
    return not (issubclass(method, LearnedMethod) and method.weights_of)


def _found(spec: str, request: Request) -> Contender:
    try:
        method = resolve(spec)
    except MethodError as error:
        if request.comparison.methods:
            raise UsageError(f"--method: {error}") from error
        return Contender(spec, TABLE_1.row(spec), status="failed", why=str(error))
    name = method.info.name
    weights = request.weights.get(name)
    one = Contender(name, TABLE_1.row(name), method, weights)
    try:
        loaded = ready_method(method, weights, chosen_device("cpu"))
    except WeightsMissingError as error:
        if name in RECIPES:
            return replace(one, to_train=True)
        return replace(one, status="not measured", why=f"Not measured: {error}.")
    except DmefError as error:
        if weights is not None:
            raise
        return replace(one, status="failed", why=str(error))
    return replace(one, origin=weights_origin(loaded, weights, trained=False))
