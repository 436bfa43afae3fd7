"""The command line as a user calls it, inside this process."""

import sys
from dataclasses import dataclass

import pytest

from dmef_bench.cli import main


@dataclass
class Ended:
    code: int
    out: str
    err: str


@pytest.fixture
def dmef_bench(monkeypatch, capsys):
    def call(*arguments) -> Ended:
        monkeypatch.setattr(sys, "argv", ["dmef-bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Ended(ended.value.code, printed.out, printed.err)

    return call
