import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from baselines import resolve
from dmef_bench.dataset import open_dataset
from dmef_bench.errors import UsageError
from dmef_bench.evaluation import (
    RunOptions,
    make_scorer,
    run_method,
    run_on_cluster,
    score_pictures,
)
from dmef_bench.work import connected
from leaderboard import as_markdown, build_leaderboard, load_runs
from leaderboard.records import MethodRecord

SCORER = partial(make_scorer, lpips=False)
METHODS = '''
import os, signal, time
from pathlib import Path
from baselines import Method, MethodInfo

HERE = Path(__file__).parent


class Average(Method):
    info = MethodInfo("average", "Average", 2026, "", "", "classical")

    def fuse(self, bracket):
        return bracket.images.mean(dim=1)


class Meets(Average):
    """Goes on when two processes are in it at once."""

    info = MethodInfo("meets", "Meets", 2026, "", "", "classical")

    def fuse(self, bracket):
        (HERE / f"meets-{os.getpid()}").touch()
        while len(list(HERE.glob("meets-*"))) < 2:
            time.sleep(0.02)
        return super().fuse(bracket)


class Poisoned(Average):
    """Kills each process in which it meets the scene that the file names by its mean."""

    info = MethodInfo("poisoned", "Poisoned", 2026, "", "", "classical")

    def fuse(self, bracket):
        poison = HERE / "poison"
        if poison.exists() and float(poison.read_text()) == bracket.images.mean().item():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fuse(bracket)
'''


@pytest.fixture
def method(tmp_path):
    file = tmp_path / "methods.py"
    file.write_text(METHODS)
    return lambda name: f"{file}:{name}"


@pytest.fixture
def dataset(built_here):
    return open_dataset(built_here)


@pytest.fixture
def options(tmp_path):
    return RunOptions(results=tmp_path / "here", split="train", quiet=True)


@pytest.fixture
def there(tmp_path, options):
    return replace(options, results=tmp_path / "there")


@pytest.fixture
def place(dask_cluster):
    with connected(str(dask_cluster.address)) as place:
        yield place


def _quality(result):
    return [
        sample.model_copy(update={"inference_seconds": None, "total_seconds": None})
        for sample in result.samples
    ]


def _pictures(result):
    return {
        str(path.relative_to(result.folder)): path.read_bytes()
        for path in result.folder.rglob("*")
        if path.suffix in (".png", ".jpg", ".jsonl") and path.parent != result.folder
    }


def test_a_run_gives_the_figures_of_one_machine(
    place, dataset, method, options, there, monkeypatch, tmp_path
):
    wanted = {"save_predictions": True, "protocol": "native"}
    here = run_method(resolve(method("Average")), dataset, SCORER(options.device),
                      replace(options, **wanted))  # fmt: skip
    monkeypatch.chdir(tmp_path)  # names relative to the client's folder mean the same there
    result = run_on_cluster(
        "methods.py:Meets", dataset, SCORER, replace(there, results=Path("there"), **wanted), place
    )
    assert _quality(result) == _quality(here)
    assert _pictures(result) == _pictures(here)
    record = result.record
    assert record.outcome == "complete"
    assert record.cost.peak_memory_bytes is not None
    # Both workers are on this machine, so their times are no method's.
    assert record.times_unavailable.startswith("workers that share a machine")
    assert record.cost.inference_seconds is None
    assert record.machine.processor == here.record.machine.processor
    assert record.other_machines == ()
    (run,) = load_runs(result.folder.parents[2])
    assert run.record == record
    assert not list(result.folder.glob(".cluster-*"))

    again = run_on_cluster("methods.py:Meets", dataset, SCORER,
                           replace(there, results=Path("there"), **wanted), place)  # fmt: skip
    assert (again.record, again.samples) == (record, result.samples)


def test_times_stand_for_one_kind_of_machine(place, dataset, method, there):
    one = run_on_cluster(method("Average"), dataset, SCORER, replace(there, limit=1), place)
    assert one.record.times_unavailable == ""
    assert one.record.cost.inference_seconds.count == 1
    assert build_leaderboard(load_runs(there.results)).measured[0].inference is not None

    # As if that scene had been done on another machine, and the run went on here.
    other = one.record.machine.model_copy(update={"device": "Other", "processor": "Other"})
    record = one.record.model_copy(update={"machine": other})
    (one.folder / "run.json").write_text(record.model_dump_json())
    both = run_on_cluster(method("Average"), dataset, SCORER, there, place)
    assert both.samples[0] == one.samples[0]
    assert both.record.machine == other
    assert both.record.other_machines == (one.record.machine,)
    assert both.record.times_unavailable.startswith("several kinds of machines took part (")
    board = build_leaderboard(load_runs(there.results))
    assert (board.measured[0].inference, board.measured[0].total) == (None, None)
    assert "several kinds of machines took part" in as_markdown([board])


def test_a_poisonous_scene_costs_itself_only(place, dataset, method, there, tmp_path):
    first, second = dataset.scenes("train")
    poison = tmp_path / "poison"
    poison.write_text(repr(second.load_bracket().images.mean().item()))
    result = run_on_cluster(method("Poisoned"), dataset, SCORER, there, place)
    assert result.record.outcome == "failed"
    assert [sample.error is None for sample in result.samples] == [True, False]
    assert result.failed[0].scene == second.id
    assert "each of 2 workers that took it died" in result.failed[0].error
    poison.unlink()
    mended = run_on_cluster(method("Poisoned"), dataset, SCORER, there, place)
    assert mended.record.outcome == "complete"
    assert mended.samples[0] == result.samples[0]
    assert [sample.scene for sample in mended.samples] == [first.id, second.id]


def test_a_run_begun_elsewhere_is_another_run(place, dataset, method, options):
    spec = method("Average")
    run_method(resolve(spec), dataset, SCORER(options.device), options)
    with pytest.raises(UsageError, match=r"device was .* is now 'cluster, cpu'"):
        run_on_cluster(spec, dataset, SCORER, options, place)


def test_pictures_made_elsewhere(place, dataset, options, there, tmp_path):
    predictions = tmp_path / "predictions"
    for scene in dataset.scenes("train")[:1]:
        (predictions / "train").mkdir(parents=True)
        shutil.copy(scene.root / "train" / "0001" / "mid.png", predictions / "train" / "0001.png")
    method = MethodRecord(
        name="mine", title="Mine", year=2026, paper="", licence="", kind="learned"
    )
    scorer = SCORER(options.device)
    here = score_pictures(predictions, method, dataset, scorer, options)
    result = score_pictures(
        predictions, method, dataset, scorer, there, cluster=place, make_scorer=SCORER
    )
    assert result.samples == here.samples
    assert [sample.error for sample in result.samples] == [None, "no prediction train/0002.png"]
    assert _pictures(result) == _pictures(here)


def test_the_commands(dmef_bench, dask_cluster, built_here, tmp_path, method):
    shared = ["--data", built_here, "--split", "train", "-o", tmp_path / "results", "--no-lpips",
              "-q", "--cluster", dask_cluster.address]  # fmt: skip
    spec = method("Average")
    ran = dmef_bench("run", "--method", spec, "--save-predictions", *shared, "--format", "json")
    assert ran.code == 0, ran.err
    (run,) = json.loads(ran.out)["runs"]
    scored = dmef_bench(
        "score", Path(run["folder"]) / "predictions", "--name", "mine", *shared, "--format", "json"
    )
    assert (scored.code, json.loads(scored.out)["psnr"]) == (0, run["psnr"])
    planned = dmef_bench(
        "run", "--method", spec, "--save-predictions", *shared, "--dry-run", "--format", "json"
    )
    assert [plan["todo"] for plan in json.loads(planned.out)["runs"]] == [[]]
    without = dmef_bench(
        "run", "--method", spec, *shared, "-o", tmp_path / "other", "--device", "cuda"
    )
    assert without.code == 3
    assert "start those that have one with --resources GPU=1" in without.err
    numbered = dmef_bench("run", "--method", spec, "--device", "cuda:0", *shared)
    assert numbered.code == 2
    assert "which GPU a worker uses is decided where it is started" in numbered.err
