import json

import pytest
from dataset_folders import contents, copy
from hypothesis import given
from hypothesis import strategies as st
from media import run_encoder

from dmef_bench.dataset import BuildSettings, build_dataset, open_dataset, verify
from dmef_bench.dataset.markers import MadeScene, MadeVideo
from dmef_bench.dataset.near_duplicates import ALIKE, refuse_near_duplicates
from dmef_bench.dataset.records import SceneRecord

KEEP = BuildSettings(min_height=50, near_duplicates="keep")
REFUSE = BuildSettings(min_height=50)


@pytest.fixture(scope="module")
def copies(clips, tmp_path_factory):
    """Two clips, and the first of them encoded anew at half the size."""
    folder = tmp_path_factory.mktemp("copies")
    for name in ("clip0.mp4", "clip1.mp4"):
        (folder / name).write_bytes((clips / name).read_bytes())
    run_encoder(
        "-i", str(clips / "clip0.mp4"), "-vf", "scale=96:54", "-c:v", "libx264", "-crf", "25",
        str(folder / "sent by a friend.mp4"),
    )  # fmt: skip
    return folder


def _rejected(folder):
    record = json.loads((folder / "dataset.json").read_text())
    return [(entry["name"], entry["code"]) for entry in record["rejected"]]


def _sources(folder):
    dataset = open_dataset(folder)
    return {
        scene.record.source.name: scene.record.source.sha256
        for split in dataset.record.scenes
        for scene in dataset.scenes(split)
    }


def test_of_two_encodings_the_one_with_the_smaller_digest_is_kept(copies, tmp_path):
    both = {"clip0.mp4", "sent by a friend.mp4"}
    build_dataset(copies, tmp_path / "keep", KEEP, workers=2)
    digests = _sources(tmp_path / "keep")
    assert digests.keys() == both | {"clip1.mp4"}
    assert _rejected(tmp_path / "keep") == []
    first = min(both, key=digests.__getitem__)
    build_dataset(copies, tmp_path / "refuse", REFUSE, workers=2)
    assert _sources(tmp_path / "refuse").keys() == {first, "clip1.mp4"}
    assert _rejected(tmp_path / "refuse") == [(*(both - {first}), "near-duplicate")]
    reason = json.loads((tmp_path / "refuse" / "dataset.json").read_text())["rejected"][0]["reason"]
    assert f"looks like that of {first} at " in reason
    assert verify(tmp_path / "refuse").ok
    before = contents(tmp_path / "refuse")
    report = build_dataset(copies, tmp_path / "refuse", REFUSE)
    assert report.added == 0
    assert contents(tmp_path / "refuse") == before


@pytest.mark.parametrize("old", ["clip0.mp4", "sent by a friend.mp4"])
def test_an_old_scene_wins_whatever_its_digest(copies, tmp_path, old):
    new = {"clip0.mp4": "sent by a friend.mp4", "sent by a friend.mp4": "clip0.mp4"}[old]
    videos = copy(copies, tmp_path / "videos")
    (videos / new).unlink()
    build_dataset(videos, tmp_path / "dataset", REFUSE)
    report = build_dataset(copies, tmp_path / "dataset", REFUSE)
    assert report.added == 0
    assert _sources(tmp_path / "dataset").keys() == {old, "clip1.mp4"}
    assert _rejected(tmp_path / "dataset") == [(new, "near-duplicate")]
    before = contents(tmp_path / "dataset")
    (videos / new).write_bytes((copies / new).read_bytes())
    (videos / old).unlink()
    build_dataset(videos, tmp_path / "dataset", REFUSE)
    assert contents(tmp_path / "dataset") == before


def _made(digest, hashes):
    def scene(place, value):
        record = SceneRecord.model_construct(
            source=_Source(name="", sha256=f"{digest:064x}"),
            place=place,
            presentation_times=(0.0, float(place), 9.0),
            gt_phash=f"{value:016x}",
        )
        return MadeScene.model_construct(scene=record, files=())

    return MadeVideo.model_construct(
        scenes=tuple(scene(place, value) for place, value in enumerate(hashes, 1))
    )


class _Source:
    def __init__(self, name, sha256):
        self.name, self.sha256 = name, sha256

    def model_copy(self, update):
        return _Source(update["name"], self.sha256)


def _kept(videos):
    names = {f"{digest:064x}": f"video {digest}" for digest in videos}
    made = {f"{digest:064x}": _made(digest, hashes) for digest, hashes in videos.items()}
    kept, rejections = refuse_near_duplicates(made, names, None)
    return {
        digest: [int(scene.scene.gt_phash, 16) for scene in video.scenes]
        for digest, video in kept.items()
    }, rejections


def test_scenes_of_one_static_video_are_compared_too():
    kept, rejections = _kept({5: [0, 1, 0xFFFF], 3: [0xFFFFFFFF]})
    assert kept == {f"{3:064x}": [0xFFFFFFFF], f"{5:064x}": [0, 0xFFFF]}
    assert [(each.name, each.code) for each in rejections] == [("video 5", "near-duplicate")]
    assert "its scene at 2.00 s looks like that of video 5 at 1.00 s: 1 of 64" in (
        rejections[0].reason
    )


def test_the_limit_is_the_last_that_is_alike():
    at, beyond = (1 << ALIKE) - 1, (1 << (ALIKE + 1)) - 1
    assert _kept({1: [0], 2: [at]})[0] == {f"{1:064x}": [0]}
    assert len(_kept({1: [0], 2: [beyond]})[0]) == 2


@given(
    st.dictionaries(
        st.integers(0, 99), st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=3), max_size=80
    ),
    st.data(),
)
def test_the_order_of_the_videos_does_not_matter(videos, data):
    # Few bits, so that many are alike.
    masked = {digest: [each & 0xFFF for each in hashes] for digest, hashes in videos.items()}
    order = data.draw(st.permutations(sorted(masked)))
    kept, rejections = _kept({digest: masked[digest] for digest in order})
    assert (kept, rejections) == _kept({digest: masked[digest] for digest in sorted(masked)})
    everything = [each for hashes in kept.values() for each in hashes]
    for place, first in enumerate(everything):
        assert all((first ^ other).bit_count() > ALIKE for other in everything[:place])
    assert len(everything) + len(rejections) == sum(map(len, masked.values()))
