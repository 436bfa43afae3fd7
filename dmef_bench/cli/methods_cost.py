"""`dmef-bench methods --cost`: what the learned baselines cost, and what the paper prints."""

from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from dmef_bench.cli.methods import wide_console
from dmef_bench.cli.options import emit
from dmef_bench.evaluation.baseline_costs import BaselineCost, baseline_costs

_NOTE = (
    "thop: what the counter thop gives the network the paper counted (AHDRNet and FSHDR with "
    "3-channel inputs, AHDRNet with 5 dense layers; the small BracketIRE is only the nearest to "
    "the printed size), at the size where its count is the printed one. Table 1 prints G as M. "
    "All: the authors' network with everything in it, at Table 1's MR (BracketIRE: five Bayer "
    "frames)."
)


def print_costs(output_format: str) -> None:
    """Count the learned baselines and print them for people or as JSON."""
    costs = baseline_costs()
    emit(output_format, [asdict(cost) for cost in costs], lambda: _print(costs))


def _print(costs: list[BaselineCost]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("method", no_wrap=True)
    for heading in (
        "thop MACs", "at", "Table 1", "same", "thop params", "Table 1", "same",
        "all MACs", "at MR", "all params",
    ):  # fmt: skip
        table.add_column(heading, justify="right")
    for cost in costs:
        cells = (
            cost.method,
            f"{cost.thop_macs / 1e9:,.2f} G",
            _size(cost.counted_size),
            f"{cost.printed_macs:,.2f}",
            _yes(cost.macs_match),
            f"{cost.thop_parameters:,}",
            f"{cost.printed_parameters:.4f} M",
            _yes(cost.parameters_match),
            f"{cost.full_macs / 1e9:,.2f} G",
            _size(cost.full_size),
            f"{cost.full_parameters:,}",
        )
        table.add_row(*(Text(cell) for cell in cells))
    console = wide_console()
    console.print(table)
    console.print(Text(f"\n{_NOTE}"), soft_wrap=True)


def _size(size: tuple[int, int]) -> str:
    return f"{size[1]}×{size[0]}"


def _yes(match: bool) -> str:
    return "yes" if match else "no"
