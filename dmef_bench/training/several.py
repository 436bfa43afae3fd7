"""Several methods trained one after the other under one budget; one that fails stops no other."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmef_bench.errors import DmefError, MissingError, ScenesFailedError
from dmef_bench.training.loop import TrainReport
from dmef_bench.training.ranks import LostProcessError, OtherProcessError
from dmef_bench.training.recipes import RECIPES, find_recipe

ALL: Final = "all"

TrainOne = Callable[[str, Path, float | None], TrainReport]
"""(method, folder, minutes) to how its training stands then."""


@dataclass(frozen=True)
class MethodTraining:
    """What became of one method.

    Attributes:
        method: its name.
        report: how its training stands; None where it failed.
        error: why it failed, in one sentence; None where it did not.
    """

    method: str
    report: TrainReport | None = None
    error: str | None = None


def methods_named(named: Sequence[str]) -> list[str]:
    """The methods that the values of --method stand for, each once, in the order given.

    Args:
        named: names, or "all" for every method that can be trained.

    Raises:
        UsageError: one can't be trained.
    """
    names = [name for one in named for name in (RECIPES if one == ALL else (one,))]
    return [find_recipe(name).name for name in dict.fromkeys(names)]


def train_several(
    methods: Sequence[str],
    train_one: TrainOne,
    output: Path,
    minutes: float | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> list[MethodTraining]:
    """Train one method after the other, each in a folder of its own; the same call goes on.

    Every method gets an equal part of the time that is left when its turn comes: what one leaves
    over, because it is finished, is shared by those behind it.

    Args:
        methods: their names.
        train_one: trains one, or goes on with its training.
        output: holds a folder for each, named like it.
        minutes: for all of them together; None for as long as it takes.
        clock: seconds.

    Returns:
        What became of each, in the same order.

    Raises:
        MissingError: the environment is at fault, a full disk for instance: all would meet it.
        OSError: likewise.
        OtherProcessError: likewise in another process; or a process is gone.
    """
    started, outcomes = clock(), []
    for place, method in enumerate(methods):
        share = None
        if minutes is not None:
            left = minutes - (clock() - started) / 60
            share = max(left, 0.0) / (len(methods) - place)
        try:
            outcomes.append(MethodTraining(method, train_one(method, output / method, share)))
        except (MissingError, LostProcessError, OSError):
            raise
        except OtherProcessError as error:
            if error.exit_code == MissingError.exit_code:
                raise  # as the process that missed something does
            outcomes.append(MethodTraining(method, error=str(error)))
        except DmefError as error:
            outcomes.append(MethodTraining(method, error=str(error)))
        except Exception as error:  # the hours of the others are worth more than a traceback
            said = " ".join(f"{type(error).__name__}: {error}".split())
            outcomes.append(MethodTraining(method, error=said))
    return outcomes


def name_failures(outcomes: Sequence[MethodTraining]) -> None:
    """Say at the end which methods failed.

    Raises:
        ScenesFailedError: some did, or all.
    """
    failures = [f"{one.method}: {one.error}" for one in outcomes if one.error is not None]
    if failures:
        rest = "the other methods were trained, but " if len(failures) < len(outcomes) else ""
        raise ScenesFailedError(f"{rest}these failed:\n  " + "\n  ".join(failures))
