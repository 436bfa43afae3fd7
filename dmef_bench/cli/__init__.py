"""The command line: one module a verb, loaded only when its verb is called."""

from dmef_bench.cli.main import main

__all__ = ["main"]
