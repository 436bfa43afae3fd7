"""`dmef-bench methods`: which fusion methods there are."""

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from baselines import MethodError, MethodInfo, SizeRule, available, resolve
from dmef_bench.cli.options import emit, format_option

# Wide enough that no line of a file or a pipe is wrapped.
_FILE_WIDTH = 240
_HEADINGS = (
    "name", "title", "year", "kind", "sizes", "paper resolution", "weights", "licence",
)  # fmt: skip


@click.command()
@click.option(
    "--cost",
    is_flag=True,
    help="Parameters and MACs of the learned baselines instead, beside the paper's Table 1.",
)
@format_option
def command(cost: bool, output_format: str) -> None:
    """List the built-in fusion methods and the installed plug-ins.

    A plug-in that can't be used is listed with the reason.
    """
    if cost:
        from dmef_bench.cli.methods_cost import print_costs

        print_costs(output_format)
        return
    found = available()
    emit(output_format, [_as_json(name, info) for name, info in found], lambda: _print(found))


def _weights(name: str) -> str | None:
    """Where the weights of a method that works come from; None where it needs none."""
    from baselines.learned import LearnedMethod

    method = resolve(name)
    if method.shipped_weights() is not None:
        return "shipped"
    return "--weights" if issubclass(method, LearnedMethod) else None


def _as_json(name: str, info: MethodInfo | MethodError) -> dict[str, object]:
    if isinstance(info, MethodError):
        return {"name": name, "error": str(info)}
    return {
        "name": name,
        "title": info.title,
        "year": info.year,
        "kind": info.kind,
        "licence": info.licence,
        "paper": info.paper,
        "size": {"minimum": info.size.minimum, "multiple": info.size.multiple},
        "paper_resolution": info.paper_resolution,
        "needs_response": info.needs_response,
        "deterministic": info.deterministic,
        "weights": _weights(name),
    }


def _print(found: list[tuple[str, MethodInfo | MethodError]]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold", no_wrap=heading == "name")
    broken = []
    for name, info in found:
        if isinstance(info, MethodError):
            broken.append((name, info))
            continue
        resolution = info.paper_resolution
        cells = (
            name,
            info.title,
            str(info.year),
            info.kind,
            _sizes(info.size),
            f"{resolution[1]}×{resolution[0]}" if resolution else "whole picture",
            _weights(name) or "none needed",
            info.licence,
        )
        table.add_row(*(Text(cell) for cell in cells))
    console = wide_console()
    console.print(table)
    for name, error in broken:
        console.print(Text(f"\n{name} can't be used: {error}"), soft_wrap=True)


def wide_console() -> Console:
    """A console on stdout that wraps no line in a file or a pipe."""
    console = Console()
    return console if console.is_terminal else Console(width=_FILE_WIDTH)


def _sizes(rule: SizeRule) -> str:
    parts = [f"from {rule.minimum}"] if rule.minimum > 1 else []
    parts += [f"multiples of {rule.multiple}"] if rule.multiple > 1 else []
    return ", ".join(parts) or "any"
