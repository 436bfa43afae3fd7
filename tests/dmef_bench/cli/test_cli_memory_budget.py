"""`run --memory-budget` and `max-resolution`; the scenes are 192×108, 4 KiB a pixel: 81 MiB."""

import json
from pathlib import Path

import proportional_methods
import pytest

METHOD = f"{Path(proportional_methods.__file__)}:Proportional"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Shared: what one test tried need not be tried by the next."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def run(dmef_bench, dataset_folder, tmp_path, monkeypatch, cache):
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))

    def call(*arguments):
        return dmef_bench(
            "run", "--data", dataset_folder, "--split", "train", "-o", tmp_path / "results",
            "--no-lpips", "-q", "--limit", "1", "--pictures", "0", *arguments,
        )  # fmt: skip

    return call


def _record(results):
    (file,) = results.glob("*/*/*/run.json")
    return json.loads(file.read_text()), file.parent.name


def test_paper_at_the_resolution_that_fits(run, tmp_path):
    ended = run("--method", METHOD, "--resolution", "probed", "--memory-budget", "48MiB")
    assert ended.code == 0, ended.err
    record, folder = _record(tmp_path / "results")
    height, width = record["protocol"]["resolution"]
    assert height == width
    assert 64 <= height <= 112
    assert record["protocol"]["measured"]
    assert record["protocol"]["memory_budget"] == 48 * 2**20
    assert record["settings"]["memory_budget"] == str(48 * 2**20)
    assert folder == f"paper-paper-{height}x{width}-within-{48 * 2**20}"


def test_the_whole_picture_out_of_memory_is_an_outcome(run, tmp_path):
    ended = run("--method", METHOD, "--protocol", "native", "--memory-budget", "48MiB")
    assert ended.code == 1
    assert "out-of-memory, 0 of 1 scenes" in ended.out
    record, _ = _record(tmp_path / "results")
    assert record["outcome"] == "out-of-memory"
    assert "192×108 does not fit --memory-budget" in ended.err
    enough = run("--method", METHOD, "--protocol", "native", "--memory-budget", "256MiB")
    assert enough.code == 0


def test_tiles_as_large_as_fit(run, tmp_path):
    ended = run(
        "--method", METHOD, "--protocol", "tiled", "--tile", "auto", "--memory-budget", "48MiB"
    )
    assert ended.code == 0, ended.err
    record, _ = _record(tmp_path / "results")
    assert 64 <= record["protocol"]["resolution"][0] <= 112
    assert record["protocol"]["measured"]


def test_tiles_without_a_budget_are_the_usual_ones(run, tmp_path):
    assert run("--method", METHOD, "--protocol", "tiled", "--tile", "auto").code == 0
    record, folder = _record(tmp_path / "results")
    assert record["protocol"]["resolution"] == [512, 512]
    assert not record["protocol"]["measured"]
    assert folder == "paper-tiled-512x512"


def test_max_resolution_is_measured_once(dmef_bench, tmp_path):
    arguments = ("max-resolution", METHOD, "--memory-budget", "48MiB", "--cache", tmp_path,
                 "--aspect", "16:9", "--largest", "144", "--format", "json")  # fmt: skip
    first = dmef_bench(*arguments)
    assert first.code == 0
    found = json.loads(first.out)
    height, width = found["size"]
    assert width > height
    assert found["refused"]["outcome"] == "out-of-memory"
    assert "kept" not in first.err
    again = dmef_bench(*arguments)
    assert json.loads(again.out) == found
    assert again.err.count("kept") == len(found["attempts"])


def test_a_baseline_in_named_sizes_needs_no_weights(dmef_bench, tmp_path):
    ended = dmef_bench(
        "max-resolution", "ahdrnet", "--configuration", "ipl_table1", "--memory-budget", "1GiB",
        "--largest", "16", "--cache", tmp_path, "-q",
    )  # fmt: skip
    assert ended.code == 0
    assert ended.out == "ahdrnet: 16×16 within 1GiB\n  larger pictures were not asked about\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--resolution", "probed"), "needs --memory-budget"),
        (("--resolution", "huge"), "no height and width"),
        (("--memory-budget", "much"), "amount of memory"),
        (("--protocol", "tiled", "--tile", "some"), "neither a number of pixels nor auto"),
        (("--memory-budget", "1GiB", "--cluster", "tcp://x:1"), "not on a cluster's"),
    ],
)
def test_mistakes_are_told(run, arguments, message):
    ended = run("--method", METHOD, *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert "Traceback" not in ended.err


def test_max_resolution_mistakes_are_told(dmef_bench):
    with_both = dmef_bench(
        "max-resolution", "ahdrnet", "--memory-budget", "1GiB", "--configuration", "paper"
    )
    assert with_both.code == 2
    assert "ahdrnet has no configuration 'paper'; it has official, ipl_table1" in with_both.err
    too_small = dmef_bench(
        "max-resolution", METHOD, "--memory-budget", "1KiB", "--largest", "8", "-q"
    )
    assert too_small.code == 1
    assert "not even its smallest picture fits" in too_small.err
