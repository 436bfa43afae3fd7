"""`dmef-bench check-method`: does a method keep to the interface?"""

from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from baselines import CheckResult, check_method
from dmef_bench.cli.loading import method_class, torch_device
from dmef_bench.cli.options import device_option, emit, format_option

# Wide enough that no line of a file or a pipe is wrapped.
_FILE_WIDTH = 240


@click.command()
@click.argument("method", metavar="METHOD")
@click.option(
    "--weights", type=click.Path(path_type=Path), default=None, help="Weights of a learned method."
)
@device_option
@format_option
def command(method: str, weights: Path | None, device: str, output_format: str) -> int:
    """Prove in seconds that METHOD keeps to the interface.

    METHOD is a name that `dmef-bench methods` lists, or path/to/file.py:Class. Small pictures are
    fused to see that shape, range, dtype and device are right at ordinary, odd and smallest sizes,
    that flat pictures give no NaN, that nothing is changed and the result repeats. Exit code 1
    where a promise is not kept.
    """
    results = check_method(method_class(method), weights, torch_device(device))
    facts = {
        "method": method,
        "passed": all(result.passed for result in results),
        "checks": [asdict(result) for result in results],
    }
    emit(output_format, facts, lambda: _print(method, results))
    return 0 if facts["passed"] else 1


def _print(method: str, results: list[CheckResult]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for result in results:
        mark = Text("ok", "green") if result.passed else Text("FAILED", "bold red")
        table.add_row(mark, Text(result.name), Text(result.detail))
    console = Console()
    if not console.is_terminal:
        console = Console(width=_FILE_WIDTH)
    console.print(table)
    failed = sum(not result.passed for result in results)
    verdict = f"{failed} of {len(results)} checks failed" if failed else "keeps to the interface"
    console.print(Text(f"{method}: {verdict}"), soft_wrap=True)
