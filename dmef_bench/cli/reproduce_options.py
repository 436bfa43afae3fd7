"""Options of `dmef-bench reproduce` that belong to some tables alone."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import click

from dmef_bench.errors import UsageError

_ABLATION: Final = (
    click.option(
        "--steps", type=click.IntRange(min=1), default=None,
        help="Tables 1, 4, 6: training steps, in table 1 of methods without weights.  "
        "[default: 2000]",
    ),
    click.option(
        "--batch", type=click.IntRange(min=1), default=None,
        help="Tables 1, 4, 6: crops a step.  [default: 4]",
    ),
    click.option(
        "--crop", type=click.IntRange(min=32), default=None,
        help="Tables 1, 4, 6: side of the training crops in pixels.  [default: 192]",
    ),
    click.option(
        "--learning-rate", type=click.FloatRange(min=0, min_open=True), default=1e-3,
        show_default=True, help="Tables 1, 4, 6: peak of the cosine schedule.",
    ),
    click.option(
        "--train-on", type=click.Choice(["dataset", "generated"]), default="dataset",
        show_default=True, help="Tables 1, 4, 6: its train split, or scenes made on the fly.",
    ),
    click.option(
        "--photos", type=click.Path(path_type=Path, exists=True, file_okay=False), default=None,
        help="Tables 1, 4, 6: every other crop from the photographs in this folder, set in motion.",
    ),
    click.option(
        "--set", "options", multiple=True, metavar="KEY=VALUE",
        help="Tables 4, 6: a field of the network's configuration, for example lfe=equation.",
    ),
    click.option(
        "--seed", type=click.IntRange(min=0), default=0, show_default=True,
        help="Tables 1, 4, 6: of weights and crops.",
    ),
    click.option(
        "--workers", type=click.IntRange(min=1), default=None,
        help="Tables 1, 4, 6: processes that prepare crops.  [default: as many as cores, at most "
        "8; none with --quick]",
    ),
    click.option(
        "--lpips-net", type=click.Choice(["alex", "vgg", "squeeze"]), default="alex",
        show_default=True, help="Tables 1, 4, 6.",
    ),
    click.option(
        "--lpips-backbone", type=click.Path(path_type=Path), default=None,
        help="Tables 1, 4, 6: state dict of the LPIPS backbone.  [default: torch hub's cache; "
        "never downloaded]",
    ),
)  # fmt: skip
_COMPARISON: Final = (
    click.option(
        "--method",
        "methods",
        multiple=True,
        metavar="NAME",
        help="Table 1: compare these alone; may be repeated.  [default: every method there is]",
    ),
    click.option(
        "--track",
        "tracks",
        multiple=True,
        type=click.Choice(["paper", "camera"]),
        help="Table 1: which exposures; may be repeated.  [default: all the scenes have]",
    ),
    click.option(
        "--test-photos",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        default=None,
        help="Table 1: the photographs in this folder, set in motion, are the test scenes.",
    ),
    click.option(
        "--tile",
        type=click.IntRange(min=16),
        default=None,
        help="Table 1: side of the tiles in pixels.  [default: 512]",
    ),
    click.option(
        "--memory-budget",
        metavar="SIZE",
        default=None,
        help="Table 1: what a call on a whole picture may take on a CPU.  [default: 24GiB, or "
        "three quarters of the machine's memory]",
    ),
)
_QUICK: Final = (
    click.option(
        "--quick",
        is_flag=True,
        help="Tables 1, 4 to 7: small pictures, few scenes, few steps; minutes on two cores. The "
        "outcome is marked and lies in a folder of its own.",
    ),
)
_CACHE: Final = (
    click.option(
        "--tolerance", type=click.FloatRange(min=0), default=0.05, show_default=True,
        help="Tables 5 and 7: of the cache's mode approximate.",
    ),
    click.option(
        "--cache-memory", default="4GiB", show_default=True, metavar="SIZE",
        help="Tables 5 and 7: the most a cache may hold.",
    ),
    click.option(
        "--mode", type=click.Choice(["exact", "approximate", "position"]), default="position",
        show_default=True, help="Table 7: the cache's mode.",
    ),
    click.option(
        "--no-times", is_flag=True,
        help="Tables 5 and 7: quality alone, for a machine that has other work.",
    ),
)  # fmt: skip

_TRAINED: Final = frozenset({"table1", "table4", "table6"})
_COMPARED: Final = frozenset({"table1"})
_PUBLIC: Final = frozenset({"table2", "table3"})
_CACHED: Final = frozenset({"table5", "table7"})
_TABLES: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(
        ("steps", "batch", "crop", "learning_rate", "train_on", "photos",
         "seed", "workers", "lpips_net", "lpips_backbone"),
        _TRAINED,
    ),
    **dict.fromkeys(("tolerance", "cache_memory", "no_times"), _CACHED),
    **dict.fromkeys(("methods", "tracks", "test_photos", "tile", "memory_budget"), _COMPARED),
    "mode": frozenset({"table7"}),
    "options": _TRAINED - _COMPARED,
    "size": _TRAINED | _CACHED,
    "quick": _TRAINED | _CACHED,
    "protocols": _PUBLIC | _COMPARED,
    "weights": _PUBLIC | _CACHED | _COMPARED | {"table6"},
}  # fmt: skip


def table_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of Tables 1 and 4 to 7."""
    for option in reversed((*_QUICK, *_COMPARISON, *_ABLATION, *_CACHE)):
        command = option(command)
    return command


def refuse_others(table: str) -> None:
    """Refuse an option that was given and that the table would not look at.

    Raises:
        UsageError: names the option and the tables it belongs to.
    """
    context = click.get_current_context()
    given = click.core.ParameterSource.COMMANDLINE
    for parameter in context.command.params:
        tables = _TABLES.get(parameter.name or "")
        if tables is None or table in tables:
            continue
        if context.get_parameter_source(parameter.name or "") is given:
            raise UsageError(
                f"{parameter.opts[0]} belongs to {', '.join(sorted(tables))}, not to {table}"
            )


def pairs(options: tuple[str, ...]) -> dict[str, str]:
    """KEY=VALUE as a mapping.

    Raises:
        UsageError: no such pair.
    """
    for option in options:
        if "=" not in option:
            raise UsageError(f"--set takes KEY=VALUE, got {option!r}")
    return dict(option.partition("=")[::2] for option in options)
