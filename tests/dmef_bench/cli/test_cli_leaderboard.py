import csv
import json

import pytest
from click.testing import CliRunner
from run_folders import DATASET, PSNRS, write_run

from dmef_bench.cli.leaderboard import command, publish
from dmef_bench.errors import ScenesFailedError, UsageError


def run(*arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    write_run(folder, "gdc")
    write_run(folder, "mertens", [psnr - 1 for psnr in PSNRS])
    return folder


def test_writes_its_files_and_prints_the_table(results, tmp_path):
    outcome = run(results, "-o", tmp_path / "out", "--title", "My clips")
    assert outcome.exit_code == 0
    assert "31.15 ± 2.08" in outcome.stdout
    assert "test split, track paper, dataset" in outcome.stdout
    assert "not measured" in outcome.stdout
    names = ["leaderboard.csv", "leaderboard.md", "leaderboard.html", "leaderboard.svg"]
    assert outcome.stderr.split() == [str(tmp_path / "out" / name) for name in names]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(names)
    page = (tmp_path / "out" / "leaderboard.md").read_text()
    assert "![Quality against speed](leaderboard.svg)" in page
    assert "<title>My clips</title>" in (tmp_path / "out" / "leaderboard.html").read_text()
    with (tmp_path / "out" / "leaderboard.csv").open() as stream:
        assert [row["method"] for row in csv.DictReader(stream) if row["rank"]] == [
            "gdc",
            "mertens",
        ]


def test_the_same_records_give_the_same_bytes(results, tmp_path):
    first, second = (publish(results, tmp_path / name).files for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_json_on_stdout_is_the_data_alone(results, tmp_path):
    outcome = run(results, "-o", tmp_path / "out", "--format", "json", "--baseline", "mertens")
    (board,) = json.loads(outcome.stdout)
    assert board["baseline"] == "MERTENS, native"
    assert {row["method"]: row["rank"] for row in board["rows"]}["gdc"] == 1


def test_broken_runs_are_named_and_the_others_published(results, tmp_path):
    broken = write_run(results, "ipl")
    (broken / "run.json").write_text("{}")
    outcome = run(results, "-o", tmp_path / "out")
    assert isinstance(outcome.exception, ScenesFailedError)
    assert outcome.exception.exit_code == 1
    assert f"skipped: {broken}/run.json: " in outcome.stderr
    for name in ("leaderboard.md", "leaderboard.html"):
        assert "package_version" in (tmp_path / "out" / name).read_text().replace("\\", "")


def test_groups_become_sections_and_dataset_chooses_one(results, tmp_path):
    write_run(results, "gdc", dataset=DATASET.model_copy(update={"digest": "ab" * 32}))
    assert len(publish(results, tmp_path / "out").boards) == 2
    (board,) = publish(results, tmp_path / "out", dataset="abababab").boards
    assert board.dataset.digest == "ab" * 32
    with pytest.raises(
        UsageError, match="no runs on dataset 123; there are runs on 5f5f5f5f, abab"
    ):
        publish(results, tmp_path / "out", dataset="123")


@pytest.mark.parametrize("made", [True, False])
def test_no_runs(tmp_path, made):
    if made:
        (tmp_path / "results").mkdir()
    outcome = run(tmp_path / "results", "-o", tmp_path / "out")
    assert isinstance(outcome.exception, UsageError)
    assert outcome.exception.exit_code == 2
    assert str(tmp_path / "results") in str(outcome.exception)
    assert not (tmp_path / "out").exists()


def test_only_broken_runs(tmp_path):
    (write_run(tmp_path, "gdc") / "run.json").write_text("{}")
    with pytest.raises(UsageError, match=r"no runs here that can be read; .*run\.json"):
        publish(tmp_path, tmp_path / "out")


def test_unknown_baseline(results, tmp_path):
    with pytest.raises(UsageError, match=r"nobody: no measured method .* gdc, mertens"):
        publish(results, tmp_path / "out", baseline="nobody")


def test_an_output_that_is_a_file(results, tmp_path):
    (tmp_path / "out").write_text("a file")
    outcome = run(results, "-o", tmp_path / "out")
    assert outcome.exit_code == 2
    assert "is a file" in outcome.stderr
