import importlib
import subprocess
import sys

import pytest

from dmef_bench.cli.main import VERBS, cli, main
from dmef_bench.errors import IntegrityError


def _run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "dmef_bench", *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_help_names_every_verb_and_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['dmef-bench', '--help']\n"
        "from dmef_bench.cli import main\n"
        "try: main()\n"
        "except SystemExit as done: assert done.code == 0\n"
        "heavy = {'torch', 'cv2', 'numpy', 'pydantic', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(verb in done.stdout for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_module_and_its_help(verb):
    module = importlib.import_module(f"dmef_bench.cli.{VERBS[verb][0]}")
    assert module.command.get_short_help_str(200)
    context = module.command.make_context(verb, ["--help"], resilient_parsing=True)
    assert module.command.get_help(context)


def test_an_unknown_verb_is_a_usage_error():
    done = _run("buid-dataset")
    assert done.returncode == 2
    assert "build-dataset" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("raised", "code"), [(IntegrityError("a.png: altered"), 4), (KeyboardInterrupt(), 130)]
)
def test_errors_become_one_line_and_their_exit_code(monkeypatch, capsys, raised, code):
    def fail(*_args, **_kwargs):
        raise raised

    monkeypatch.setattr(cli, "main", fail)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_the_system_refuses_is_one_line(tmp_path):
    done = _run("build-dataset", str(tmp_path), "-o", str(tmp_path / ("a\n" * 150)))
    assert done.returncode == 3
    assert done.stderr.startswith("error: ")
    assert done.stderr.endswith(": File name too long\n")
    assert len(done.stderr.splitlines()) == 1
