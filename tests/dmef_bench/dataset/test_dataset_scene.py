import hashlib
import json
import os

import numpy as np
import pytest
import torch
from dataset_folders import copy

from dmef_bench.dataset import open_dataset
from dmef_bench.dataset.records import ColourRecord, SceneRecord
from dmef_bench.errors import IntegrityError, UsageError
from dmef_bench.picture_files import encode_png, read_picture


@pytest.fixture
def dataset(three, tmp_path):
    return copy(three, tmp_path / "dataset")


def _rewrite(dataset, change, split="train"):
    path = dataset / split / "metadata.jsonl"
    lines = [json.loads(line) for line in path.open()]
    change(lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_scenes_are_those_of_the_manifest(three):
    dataset = open_dataset(three)
    assert [scene.id for scene in dataset.scenes("train")] == ["train/0001", "train/0002"]
    assert [scene.id for scene in dataset.scenes("test")] == ["test/0001"]
    assert dataset.record.track == "paper"
    assert len(dataset.digest) == 64
    with pytest.raises(UsageError, match="no split 'val'"):
        dataset.scenes("val")


def test_a_bracket_is_the_pictures_between_0_and_1(three):
    scene = open_dataset(three).scenes("test")[0]
    bracket = scene.load_bracket()
    assert bracket.images.shape == (1, 3, 3, 108, 192)
    assert bracket.images.dtype == torch.float32
    assert bracket.evs == (-1.5, 0.5, 2.5)
    for picture, images in {
        "low": bracket.low, "mid": bracket.reference, "high": bracket.high
    }.items():  # fmt: skip
        pixels = read_picture(three / "test" / "0001" / f"{picture}.png")
        np.testing.assert_array_equal(images[0].permute(1, 2, 0).numpy(), pixels / np.float32(255))
    truth = scene.load_ground_truth()
    assert truth.dtype == np.uint8
    np.testing.assert_array_equal(truth, read_picture(three / "test" / "0001" / "gt.png"))
    assert bracket.response is not None
    again = bracket.response.brightness_transform(truth / 255.0, 2**0.5)
    difference = np.abs(np.clip(again, 0, 1) - bracket.reference[0].permute(1, 2, 0).numpy())
    assert difference.max() <= 0.5 / 255 + 1e-6


def test_the_digest_changes_with_any_picture(dataset, three):
    _rewrite(dataset, lambda lines: lines[1].update(gt_sha256="0" * 64))
    assert open_dataset(dataset).digest != open_dataset(three).digest


@pytest.mark.parametrize("damage", ["missing", "altered", "truncated", "link", "folder link"])
def test_a_damaged_picture_is_named(dataset, tmp_path, damage):
    path = dataset / "train" / "0001" / "high.png"
    content = path.read_bytes()
    scene = open_dataset(dataset).scenes("train")[0]
    if damage in ("missing", "link"):
        path.rename(tmp_path / "moved.png")
    if damage == "link":
        path.symlink_to(tmp_path / "moved.png")
    if damage == "altered":
        path.write_bytes(content[:-20] + bytes([content[-20] ^ 1]) + content[-19:])
    if damage == "truncated":
        path.write_bytes(content[:-1])
    if damage == "folder link":
        path.parent.rename(tmp_path / "moved")
        path.parent.symlink_to(tmp_path / "moved")
    with pytest.raises(IntegrityError, match="train/0001"):
        scene.load_bracket()
    if damage != "folder link":
        scene.load_ground_truth()


def test_a_picture_that_is_not_what_the_manifest_says_of_it(dataset):
    scene = dataset / "train" / "0001"
    small = encode_png(np.zeros((10, 12, 3), np.uint8))
    deep = encode_png(np.zeros((108, 192, 3), np.uint16))
    (scene / "low.png").write_bytes(small)
    (scene / "gt.png").write_bytes(deep)
    _rewrite(
        dataset,
        lambda lines: lines[0].update(
            low_sha256=hashlib.sha256(small).hexdigest(), gt_sha256=hashlib.sha256(deep).hexdigest()
        ),
    )
    loaded = open_dataset(dataset).scenes("train")[0]
    with pytest.raises(IntegrityError, match=r"low\.png: 12×10 uint8, but .* 192×108"):
        loaded.load_bracket()
    with pytest.raises(IntegrityError, match=r"gt\.png: 192×108 uint16"):
        loaded.load_ground_truth()


def test_sizes_out_of_bounds_are_refused_before_reading(dataset):
    _rewrite(dataset, lambda lines: lines[0].update(width=60000, height=60000))
    with pytest.raises(IntegrityError, match="out of bounds"):
        open_dataset(dataset).scenes("train")[0].load_ground_truth()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gt_file_name": "../../../etc/passwd"}, "not a plain relative path"),
        ({"low_file_name": "/etc/passwd"}, "not a plain relative path"),
        ({"mid_file_name": "0002/mid.png"}, "no picture of scene 0001"),
        ({"scene": "0002"}, "no picture of scene 0002"),
        ({"scene": "../1"}, "scene"),
        ({"gt_sha256": "abc"}, "gt_sha256"),
        ({"width": -1}, "width"),
        ({"width": "wide"}, "width"),
        ({"evs": [0, 1]}, "evs"),
        ({"evs": [0, 1, float("nan")]}, "evs"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_hostile_lines_are_refused(dataset, change, message):
    _rewrite(dataset, lambda lines: lines[0].update(change))
    with pytest.raises(IntegrityError, match=rf"metadata\.jsonl, line 1: .*{message}"):
        open_dataset(dataset)


def test_manifests_that_contradict_themselves(dataset):
    _rewrite(dataset, lambda lines: lines.pop())
    with pytest.raises(IntegrityError, match=r"1 scenes, but dataset\.json speaks of 2"):
        open_dataset(dataset)
    _rewrite(dataset, lambda lines: lines.append(lines[0]))
    with pytest.raises(IntegrityError, match="there twice"):
        open_dataset(dataset)


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b"{" * 100_000, b'{"schema_version": 2}', b'{"scenes": {}}']
)
def test_a_broken_dataset_json(dataset, content):
    (dataset / "dataset.json").write_bytes(content)
    with pytest.raises(IntegrityError, match=r"dataset\.json"):
        open_dataset(dataset)


def test_unknown_splits_are_refused(dataset):
    record = json.loads((dataset / "dataset.json").read_text())
    for scenes in ({"../x": 1}, {"train": 0}, {}):
        (dataset / "dataset.json").write_text(json.dumps({**record, "scenes": scenes}))
        with pytest.raises(IntegrityError, match="counts of train and test"):
            open_dataset(dataset)


def test_a_manifest_that_is_a_link_pipe_or_absent(dataset, tmp_path):
    path = dataset / "dataset.json"
    path.rename(tmp_path / "moved")
    with pytest.raises(IntegrityError, match=r"dataset\.json: missing"):
        open_dataset(dataset)
    path.symlink_to(tmp_path / "moved")
    with pytest.raises(IntegrityError, match=r"dataset\.json: a link"):
        open_dataset(dataset)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(IntegrityError, match=r"dataset\.json: not a plain file"):
        open_dataset(dataset)
    with pytest.raises(UsageError, match="no such folder"):
        open_dataset(tmp_path / "nothing")


def test_a_line_returns_from_disk_as_it_was(three):
    line = (three / "test" / "metadata.jsonl").read_bytes()
    assert SceneRecord.model_validate_json(line).as_line() == line
    colour = {"matrix": "bt709", "range": "limited", "transfer": "bt709", "primaries": "bt709"}
    for assumed in ((), ("matrix",), ("matrix", "range")):
        record = ColourRecord(**colour, assumed=assumed)
        assert ColourRecord.model_validate_json(record.model_dump_json()) == record
        assert isinstance(json.loads(record.model_dump_json())["assumed"], str)
