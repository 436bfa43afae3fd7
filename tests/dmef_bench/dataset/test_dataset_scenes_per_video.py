import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dataset_folders import SIZE, contents, copy

from dmef_bench.dataset import BuildSettings, build_dataset, open_dataset, verify
from dmef_bench.errors import UsageError
from synth.moving_scenes import write_clip

THREE = BuildSettings(min_height=100, scenes_per_video=3, near_duplicates="keep")
COLUMNS = {
    "place", "sharpness", "blur", "gt_phash",
    *(f"{what}_{step}" for what in ("flow_mean", "flow_p95", "moving") for step in ("12", "23")),
    *(f"{end}_{of}" for end in ("white", "black") for of in ("low", "mid", "high", "gt")),
}  # fmt: skip


@pytest.fixture(scope="module")
def long_clips(tmp_path_factory):
    """Three clips of 5 s, each with room for two scenes."""
    folder = tmp_path_factory.mktemp("long clips")
    for seed in range(3):
        write_clip(folder / f"clip{seed}.mp4", seed, frames=60, fps=12, **SIZE)
    return folder


@pytest.fixture(scope="module")
def several(long_clips, tmp_path_factory):
    """Their dataset, built undisturbed by one worker. Not to be altered."""
    output = tmp_path_factory.mktemp("datasets") / "several"
    build_dataset(long_clips, output, THREE)
    return output


def _records(folder):
    dataset = open_dataset(folder)
    return [
        (split, scene.record) for split in dataset.record.scenes for scene in dataset.scenes(split)
    ]


def test_the_scenes_of_a_video_lie_apart_in_one_split(several):
    assert verify(several).ok
    by_video = {}
    for split, record in _records(several):
        by_video.setdefault(record.source.sha256, []).append((split, record))
    assert len(by_video) == 3
    for scenes in by_video.values():
        assert len({split for split, _ in scenes}) == 1
        assert [record.place for _, record in scenes] == [1, 2]
        first, second = (record for _, record in scenes)
        assert int(second.scene) == int(first.scene) + 1
        assert second.presentation_times[0] - first.presentation_times[2] >= 2
        assert first.gt_sha256 != second.gt_sha256
    assert open_dataset(several).record.settings["scenes_per_video"] == "3"


def test_every_measure_is_a_flat_column_of_one_type(several):
    for split in ("train", "test"):
        for line in (several / split / "metadata.jsonl").open():
            row = json.loads(line)
            assert row.keys() >= COLUMNS
            kinds = {type(row[name]) for name in COLUMNS - {"place", "gt_phash"}}
            assert kinds == {float}
            assert (type(row["place"]), type(row["gt_phash"])) == (int, str)


def test_one_scene_a_video_is_the_first_choice_of_several(long_clips, several, tmp_path):
    build_dataset(long_clips, tmp_path / "one", BuildSettings(min_height=100))
    one = {(record.source.sha256, record.gt_sha256) for _, record in _records(tmp_path / "one")}
    assert len(one) == 3
    assert one <= {(record.source.sha256, record.gt_sha256) for _, record in _records(several)}
    with pytest.raises(UsageError, match="scenes_per_video: 1 there, 3 now"):
        build_dataset(long_clips, tmp_path / "one", THREE)


def test_workers_and_the_order_of_videos_change_no_scene(long_clips, several, tmp_path):
    build_dataset(long_clips, tmp_path / "workers", THREE, workers=3)
    assert contents(tmp_path / "workers") == contents(several)
    videos = tmp_path / "videos"
    videos.mkdir()
    for number, path in enumerate(sorted(long_clips.iterdir(), reverse=True)):
        shutil.copyfile(path, videos / f"{number}.mp4")
    build_dataset(videos, tmp_path / "reversed", THREE, workers=2)
    assert _pictures(tmp_path / "reversed") == _pictures(several)


def _pictures(folder):
    return {name: data for name, data in contents(folder).items() if name.endswith(".png")}


def test_extending_moves_nothing_and_keeps_videos_whole(long_clips, several, tmp_path):
    videos, output = tmp_path / "videos", tmp_path / "dataset"
    videos.mkdir()
    for path in sorted(long_clips.iterdir())[1:]:
        shutil.copyfile(path, videos / path.name)
    build_dataset(videos, output, THREE)
    before = _pictures(output)
    build_dataset(long_clips, output, THREE, workers=2)
    after = _pictures(output)
    assert before.items() <= after.items()
    assert verify(output).ok
    where = {(record.source.sha256, split) for split, record in _records(output)}
    assert len(where) == 3
    assert sorted(after.values()) == sorted(_pictures(several).values())


# 1 file for the settings, then 4 pictures for each of two scenes and the marker of each clip.
def test_killed_between_the_scenes_of_a_video(long_clips, several, tmp_path):
    disturbed = Path(__file__).with_name("disturbed_build.py")
    output = tmp_path / "output"
    killed = subprocess.run(
        [
            sys.executable, disturbed, "build-dataset", long_clips, "-o", output, "-q",
            "--min-height", "100", "--scenes-per-video", "3", "--near-duplicates", "keep",
            "--workers", "1",
        ],
        env={"ACCIDENT": "kill", "N": "7", "COUNTER": str(tmp_path / "counter")},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    build_dataset(long_clips, output, THREE, workers=2)
    assert contents(output) == contents(several)


def test_a_dataset_of_an_earlier_version_opens_and_is_not_mixed(several, long_clips, tmp_path):
    output = earlier_version(several, tmp_path / "earlier")
    dataset = open_dataset(output)
    record = dataset.scenes("test")[0].record
    assert record.blur is record.gt_phash is None
    assert COLUMNS.isdisjoint(json.loads(record.as_line()))
    assert dataset.scenes("test")[0].load_ground_truth().shape == (108, 192, 3)


def earlier_version(dataset, to):
    """A copy as it was before scenes were measured; its hashes are not made anew."""
    copy(dataset, to)
    for path in to.glob("*/metadata.jsonl"):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        kept = [{name: row[name] for name in row if name not in COLUMNS} for row in rows]
        path.write_text("".join(json.dumps(row) + "\n" for row in kept))
    return to


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"scenes_per_video": 0}, "--scenes-per-video 0: from 1 to 50"),
        ({"scenes_per_video": 51}, "--scenes-per-video"),
        ({"near_duplicates": "maybe"}, "--near-duplicates"),
    ],
)
def test_wrong_settings_of_the_selection_are_named(wrong, message):
    with pytest.raises(UsageError, match=message):
        BuildSettings(**wrong)
