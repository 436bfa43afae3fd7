"""The `dmef-bench` command: finds the verb, turns errors into one line and an exit code."""

import difflib
import importlib
import sys

import click

from dmef_bench import __version__
from dmef_bench.errors import DmefError, MissingError

# verb -> (module that holds `command`, the line `--help` shows); kept here so that --help
# imports neither torch nor OpenCV.
VERBS: dict[str, tuple[str, str]] = {
    "build-dataset": ("build_dataset", "Turn a folder of 4K videos into a 4K-DMEF dataset."),
    "import": ("import_dataset", "Import Kalantari, Mobile-HDR or other bracketed folders."),
    "verify": ("verify", "Find every missing, extra or altered byte of a dataset."),
    "push": ("push", "Share a dataset at the Hugging Face Hub."),
    "pull": ("pull", "Fetch a dataset from the Hugging Face Hub."),
    "export": ("export", "Write a dataset as WebDataset shards, or IPL as ONNX."),
    "stats": ("stats", "How the scenes of a dataset move, clip and are exposed, with pictures."),
    "run": ("run", "Run fusion methods over a dataset and record quality, time and memory."),
    "leaderboard": ("leaderboard", "Turn run records into CSV, Markdown and an HTML page."),
    "reproduce": ("reproduce", "Measure a table of the paper beside its printed figures."),
    "demo": ("demo", "Clips, dataset, all methods and leaderboard at true 4K, in minutes."),
    "methods": ("methods", "List the fusion methods."),
    "check-method": ("check_method", "Prove a method's shapes, ranges and determinism in seconds."),
    "max-resolution": ("max_resolution", "The largest input a method takes within a budget."),
    "score": ("score", "Score pictures that were made elsewhere."),
    "fuse": ("fuse", "Fuse your own pictures, a folder or a video with a method."),
    "time": ("time", "Time a method at 1080p, 4K, 8K: cold, warm, streaming."),
    "train": ("train", "Train a learned method."),
    "doctor": ("doctor", "Check that this machine has what dmef-bench needs."),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            near = difflib.get_close_matches(cmd_name, VERBS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"There is no verb {cmd_name!r}.{hint}", ctx)
        module = importlib.import_module(f"dmef_bench.cli.{VERBS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dmef-bench")
def cli() -> None:
    """Build 4K-DMEF, run multi-exposure fusion methods on it and publish the leaderboard."""


def main() -> None:
    """Console entry point; exit codes 0, 1, 2, 3, 4 and 130 as in docs/protocol.md."""
    try:
        code = cli.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except DmefError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo(
            "interrupted: what was finished is kept; run the same command again to go on.", err=True
        )
        sys.exit(130)
    except OSError as error:
        if not isinstance(error.filename, str):
            raise
        click.echo(f"error: {_on_one_line(error.filename)}: {error.strerror}", err=True)
        sys.exit(MissingError.exit_code)


def _on_one_line(name: str) -> str:
    return name if name.isprintable() else repr(name)[1:-1]
