from dataclasses import replace

import pytest
from dataset_folders import write_clips

from baselines import resolve
from dmef_bench.dataset import BuildSettings, build_dataset, open_dataset
from dmef_bench.errors import UsageError
from dmef_bench.evaluation import RunOptions, run_method, score_pictures
from dmef_bench.picture_files import encode_png
from leaderboard import MixedRunsError, build_leaderboard, group_runs, load_runs
from leaderboard.records import MethodRecord


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A dataset of two scenes with both tracks."""
    folder = tmp_path_factory.mktemp("both")
    settings = BuildSettings(min_height=100, track="both")
    build_dataset(write_clips(folder / "clips", 2), folder / "4k-dmef", settings)
    return open_dataset(folder / "4k-dmef")


@pytest.fixture
def options(tmp_path):
    return RunOptions(results=tmp_path / "results", protocol="native", quiet=True, command="test")


def test_each_track_has_its_folder_record_and_table(both, scorer, options):
    for name in ("copy-reference", "invert-response"):
        for track in (None, "camera"):
            run_method(resolve(name), both, scorer, replace(options, track=track))
    runs = load_runs(options.results)
    found = {(run.record.method.name, run.folder.name, run.record.dataset.track) for run in runs}
    assert found == {
        (name, f"{track}-native", track)
        for name in ("copy-reference", "invert-response")
        for track in ("paper", "camera")
    }
    with pytest.raises(MixedRunsError, match="differ in track"):
        build_leaderboard(runs)
    boards = [build_leaderboard(group) for group in group_runs(runs)]
    assert [board.dataset.track for board in boards] == ["camera", "paper"]

    psnr = {(run.record.method.name, run.record.dataset.track): run.samples[0].psnr for run in runs}
    # The known response brings back all that noise, rounding and clipping left.
    for track in ("paper", "camera"):
        assert psnr["invert-response", track] > psnr["copy-reference", track]


def test_a_run_that_was_finished_on_one_track_is_not_taken_for_the_other(both, scorer, options):
    first = run_method(resolve("copy-reference"), both, scorer, options)
    other = run_method(resolve("copy-reference"), both, scorer, replace(options, track="camera"))
    assert first.samples[0].prediction_sha256 != other.samples[0].prediction_sha256


def test_a_track_the_dataset_does_not_have_is_refused(dataset, scorer, options):
    with pytest.raises(UsageError, match="its exposures are of the track paper, not camera"):
        run_method(resolve("copy-reference"), dataset, scorer, replace(options, track="camera"))
    assert not options.results.exists()


def test_pictures_made_elsewhere_belong_to_the_track_that_is_named(both, scorer, options, tmp_path):
    (scene,) = both.scenes("test")
    made = tmp_path / "made"
    made.mkdir()
    (made / "0001.png").write_bytes(encode_png(scene.load_ground_truth()))
    method = MethodRecord(
        name="elsewhere", title="Elsewhere", year=2026, paper="", licence="", kind="learned"
    )
    result = score_pictures(made, method, both, scorer, replace(options, track="camera"))
    assert result.record.dataset.track == "camera"
    assert result.folder.name == "camera-native"


def test_results_do_not_go_into_the_dataset(both, scorer, options, tmp_path):
    inside = replace(options, results=both.path / "train" / "results")
    made_by = MethodRecord(
        name="mine", title="Mine", year=2026, paper="", licence="", kind="learned"
    )
    with pytest.raises(UsageError, match="inside the dataset"):
        run_method(resolve("copy-reference"), both, scorer, inside)
    with pytest.raises(UsageError, match="inside the dataset"):
        score_pictures(tmp_path, made_by, both, scorer, inside)
    assert not inside.results.exists()
