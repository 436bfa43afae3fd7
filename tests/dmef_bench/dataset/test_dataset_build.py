import json
import os
import re
import shutil

import cv2
import numpy as np
import pytest
from dataset_folders import contents, copy, some_of

from dmef_bench.dataset import (
    BuildSettings,
    NoUsableVideosError,
    build_dataset,
    open_dataset,
    plan_build,
    verify,
)
from dmef_bench.dataset.layout import WORK_FOLDER
from dmef_bench.errors import IntegrityError, MissingError, UsageError
from dmef_bench.picture_files import read_picture
from synth.camera_response import Sigmoid
from synth.exposure import expose


def _lines(dataset, split):
    return [json.loads(line) for line in (dataset / split / "metadata.jsonl").open()]


def test_the_folder_is_laid_out_as_documented(three):
    assert sorted(contents(three)) == sorted(
        ["README.md", "croissant.json", "dataset.json", "test", "train"]
        + [f"{split}/metadata.jsonl" for split in ("train", "test")]
        + ["train/0001", "train/0002", "test/0001"]
        + [
            f"{scene}/{picture}.png"
            for scene in ("train/0001", "train/0002", "test/0001")
            for picture in ("low", "mid", "high", "gt")
        ]
    )
    assert verify(three).ok


def test_exposures_are_those_of_the_camera_response(three):
    line = _lines(three, "test")[0]
    assert line["evs"] == [-1.5, 0.5, 2.5]
    assert line["response"] == {"model": "sigmoid", "parameters": {"n": 0.9, "sigma": 0.6}}
    truth = read_picture(three / "test" / line["gt_file_name"])
    assert truth.shape == (108, 192, 3)
    mid = read_picture(three / "test" / line["mid_file_name"])
    np.testing.assert_array_equal(mid, expose(truth, 0.5, Sigmoid()))
    low = read_picture(three / "test" / line["low_file_name"])
    assert (low != expose(truth, -1.5, Sigmoid())).any(), "frame 1 must not be frame 2"
    times = line["presentation_times"]
    assert times == sorted(set(times))


def test_metadata_follows_the_rule_of_image_folders(three):
    # Hugging Face ImageFolder: every column named *_file_name holds paths relative to the
    # metadata file, and the columns of all splits have the same types.
    kinds = []
    for split in ("train", "test"):
        for line in _lines(three, split):
            names = [key for key in line if key.endswith("_file_name")]
            assert names == [f"{picture}_file_name" for picture in ("low", "mid", "high", "gt")]
            assert all((three / split / line[name]).is_file() for name in names)
            kinds.append(_kinds(line))
    assert all(kind == kinds[0] for kind in kinds)
    card = (three / "README.md").read_text()
    front = re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)[1]
    for split in ("train", "test"):
        assert f'  - split: {split}\n    path: "{split}/**"' in front


def _kinds(value):
    if isinstance(value, dict):
        return {key: _kinds(item) for key, item in value.items()}
    if isinstance(value, list):
        assert value, "an empty list has no type in Arrow"
        return [_kinds(value[0])]
    return type(value)


def test_rejections_are_recorded_with_their_reason(three):
    record = json.loads((three / "dataset.json").read_text())
    assert [(entry["name"], entry["code"]) for entry in record["rejected"]] == [
        ("text.mp4", "not-a-video")
    ]
    assert record["scenes"] == {"train": 2, "test": 1}


def test_any_number_of_workers_gives_the_same_bytes(three, three_clips, settings, tmp_path):
    build_dataset(three_clips, tmp_path / "again", settings, workers=3)
    assert contents(tmp_path / "again") == contents(three)


def test_the_same_command_again_changes_nothing(three, three_clips, settings, tmp_path):
    output = copy(three, tmp_path / "again")
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*") if path.is_file()}
    report = build_dataset(three_clips, output, settings)
    assert report.added == 0
    assert report.digest == open_dataset(three).digest
    assert before == {path: path.stat().st_mtime_ns for path in output.rglob("*") if path.is_file()}


def test_extension_keeps_every_old_scene_in_its_place(three, extended):
    before, after = contents(three), contents(extended)
    assert {name: before[name] for name in before if name.endswith(".png")}.items() <= after.items()
    for split, count in {"train": 4, "test": 1}.items():
        assert after[f"{split}/metadata.jsonl"].startswith(before[f"{split}/metadata.jsonl"])
        assert len(_lines(extended, split)) == count
    assert verify(extended).ok
    assert open_dataset(extended).digest != open_dataset(three).digest


def test_extension_does_not_need_the_old_videos(extended, clips, three, settings, tmp_path):
    new = some_of(clips, tmp_path / "new", range(3, 5))
    output = copy(three, tmp_path / "dataset")
    build_dataset(new, output, settings)
    assert contents(output) == contents(extended)


def test_a_renamed_video_is_known_and_a_copy_is_a_duplicate(three, three_clips, settings, tmp_path):
    videos = copy(three_clips, tmp_path / "videos")
    (videos / "clip0.mp4").rename(videos / "renamed.mp4")
    shutil.copyfile(videos / "clip1.mp4", videos / "a copy.mp4")
    report = build_dataset(videos, copy(three, tmp_path / "dataset"), settings)
    assert report.added == 0
    assert {entry.name: (entry.code, entry.reason) for entry in report.rejected} == {
        "a copy.mp4": ("duplicate", "the same bytes as clip1.mp4"),
        "text.mp4": ("not-a-video", report.rejected[1].reason),
    }


def test_odd_names_are_recorded_printable(clips, settings, tmp_path):
    videos = tmp_path / "videos"
    videos.mkdir()
    shutil.copyfile(clips / "clip0.mp4", videos / "-i %03d\n\x1b[31m.mp4")
    shutil.copyfile(clips / "clip1.mp4", videos / os.fsdecode(b"\xff.mp4"))
    output = tmp_path / "output"
    build_dataset(videos, output, settings, workers=2)
    assert verify(output).ok
    names = {
        line["source"]["name"] for split in ("train", "test") for line in _lines(output, split)
    }
    assert names == {"-i %03d\\n\\x1b[31m.mp4", "\\xff.mp4"}


def test_all_exposures_writes_nine_pictures(clips, tmp_path):
    output = tmp_path / "nine"
    settings = BuildSettings(min_height=100, all_exposures=True, model="beta:beta=0.7")
    build_dataset(clips, output, settings, limit=1)
    assert verify(output).ok
    line = _lines(output, "train")[0]
    assert line["response"] == {"model": "beta", "parameters": {"beta": 0.7}}
    scene = output / "train" / "0001"
    pictures = {path.stem: cv2.imread(str(path)) for path in scene.iterdir()}
    assert len(pictures) == 10  # nine and the ground truth
    truth, beta = pictures["gt"], settings.response
    np.testing.assert_array_equal(pictures["frame2_low"], expose(truth, -1.5, beta))
    np.testing.assert_array_equal(pictures["frame2_high"], expose(truth, 2.5, beta))
    assert not (output / "test").exists(), "one video can't be split"


def test_other_settings_are_refused_with_the_difference(three, three_clips, tmp_path):
    output = copy(three, tmp_path / "dataset")
    other = BuildSettings(min_height=90, evs=(-2, 0, 2), name="other")
    with pytest.raises(UsageError) as refused:
        build_dataset(three_clips, output, other)
    for difference in ("min_height: 100 there, 90 now", "evs: -1.5, +0.5, +2.5 there", "name: "):
        assert difference in str(refused.value)
    assert contents(output) == contents(three)


def test_overwrite_replaces_another_dataset_and_leaves_nothing_of_it(
    extended, three, three_clips, settings, tmp_path
):
    output = copy(extended, tmp_path / "dataset")
    (output / "train" / "0001" / "gt.png").write_bytes(b"damaged")
    build_dataset(three_clips, output, settings, overwrite=True)
    assert contents(output) == contents(three)


def test_a_damaged_dataset_is_not_extended(three, clips, settings, tmp_path):
    output = copy(three, tmp_path / "dataset")
    (output / "train" / "0002" / "mid.png").unlink()
    with pytest.raises(IntegrityError, match=r"train/0002/mid\.png: missing.*--overwrite"):
        build_dataset(clips, output, settings)
    assert not (output / WORK_FOLDER).exists()


@pytest.mark.parametrize("name", ["notes.txt", "train/0001/photo.jpg", "train/0001/gt.png/x"])
def test_a_folder_with_other_things_in_it_is_refused(three_clips, settings, tmp_path, name):
    foreign = tmp_path / "output" / name
    foreign.parent.mkdir(parents=True)
    foreign.write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(UsageError, match=re.escape(name)):
            build_dataset(three_clips, tmp_path / "output", settings, overwrite=overwrite)
    assert foreign.read_text() == "mine"


def test_a_readme_or_foreign_dataset_json_is_not_overwritten(three_clips, settings, tmp_path):
    output = tmp_path / "output"
    output.mkdir()
    (output / "README.md").write_text("mine")
    with pytest.raises(UsageError, match=r"README\.md but no dataset\.json"):
        build_dataset(three_clips, output, settings, overwrite=True)
    (output / "dataset.json").write_text('{"mine": true}')
    with pytest.raises(IntegrityError, match="not touched"):
        build_dataset(three_clips, output, settings, overwrite=True)
    assert contents(output) == {"README.md": b"mine", "dataset.json": b'{"mine": true}'}


def test_no_videos_and_no_usable_videos(three_clips, settings, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no videos here"):
        build_dataset(tmp_path / "empty", tmp_path / "output", settings)
    with pytest.raises(NoUsableVideosError, match="none of the 4 videos") as refused:
        build_dataset(three_clips, tmp_path / "output", BuildSettings(), workers=2)
    assert [entry.code for entry in refused.value.rejected] == ["too-small"] * 3 + ["not-a-video"]
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize(
    ("output", "error"), [("a file/inside", UsageError), ("/proc/no-dataset-here", MissingError)]
)
def test_an_output_folder_that_cannot_be_made(three_clips, settings, tmp_path, output, error):
    (tmp_path / "a file").write_text("")
    with pytest.raises(error, match=f"{output}.* [Cc]hoose another output folder"):
        build_dataset(three_clips, tmp_path / output, settings)


def test_a_dry_run_writes_nothing(three, clips, settings, tmp_path):
    plan = plan_build(clips, tmp_path / "output", settings, workers=2)
    assert plan.taken == tuple(f"clip{number}.mp4" for number in range(5))
    assert [entry.name for entry in plan.rejected] == ["text.mp4"]
    assert not (tmp_path / "output").exists()
    before = contents(three)
    plan = plan_build(clips, three, settings)
    assert plan.kept == ("clip0.mp4", "clip1.mp4", "clip2.mp4")
    assert plan.taken == ("clip3.mp4", "clip4.mp4")
    assert contents(three) == before


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "a/b"}, "--name"),
        ({"name": 'x"\n'}, "--name"),
        ({"licence": "my licence"}, "--license"),
        ({"spacing": 0.0}, "--spacing"),
        ({"spacing": float("nan")}, "--spacing"),
        ({"evs": (0.5, -1.5, 2.5)}, "three rising values"),
        ({"evs": (-1.5, 0.5, float("inf"))}, "three rising values"),
        ({"model": "sigmo"}, "unknown camera response model 'sigmo'"),
        ({"model": "sigmoid:n"}, "NAME=NUMBER"),
        ({"model": "beta:gamma=2"}, "beta has no parameter 'gamma'"),
        ({"min_height": 0}, "--min-height"),
        ({"hdr": "keep"}, "--hdr"),
    ],
)
def test_wrong_settings_are_named(wrong, message):
    with pytest.raises(UsageError, match=message):
        BuildSettings(**wrong)
