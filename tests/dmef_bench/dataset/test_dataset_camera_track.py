import json

import numpy as np
import pytest
from dataset_folders import contents, copy, some_of

from dmef_bench.dataset import BuildSettings, build_dataset, open_dataset, verify
from dmef_bench.dataset.camera_exposures import scene_camera
from dmef_bench.errors import IntegrityError, UsageError
from synth.camera_track import CameraOptions, camera_exposure

CAMERA = BuildSettings(min_height=100, track="camera", jpeg=(60, 90))
BOTH = BuildSettings(min_height=100, track="both", jpeg=(60, 90))


@pytest.fixture(scope="module")
def both(three_clips, tmp_path_factory):
    """Three clips with both tracks, built by one worker. Not to be altered."""
    output = tmp_path_factory.mktemp("datasets") / "both"
    build_dataset(three_clips, output, BOTH, workers=1)
    return output


@pytest.fixture(scope="module")
def camera(three_clips, tmp_path_factory):
    """The same with the camera track alone, built by two workers. Not to be altered."""
    output = tmp_path_factory.mktemp("datasets") / "camera"
    build_dataset(three_clips, output, CAMERA, workers=2)
    return output


def lines(folder):
    return {
        (split, line["source"]["sha256"]): line
        for split in ("train", "test")
        for line in map(json.loads, (folder / split / "metadata.jsonl").open())
    }


def scenes(folder, track=None):
    dataset = open_dataset(folder)
    return [scene for split in ("train", "test") for scene in dataset.scenes(split, track)]


def test_both_tracks_lie_over_the_same_frames_which_are_stored_once(both, three):
    assert verify(both).ok
    of_paper, of_both = contents(three), contents(both)
    for name in of_paper:
        if name.endswith(".png"):
            assert of_both.pop(name) == of_paper[name]
    added = {name.rpartition("/")[2] for name in of_both if name.endswith(".png")}
    assert added == {"camera_low.png", "camera_mid.png", "camera_high.png"}


def test_a_lines_columns_of_the_paper_track_are_what_they_are_without_a_camera(both, three):
    for key, line in lines(three).items():
        with_camera = lines(both)[key]
        assert {name: with_camera[name] for name in line} == line
        assert set(with_camera) - set(line) == {
            *(f"camera_{name}_{what}" for name in ("low", "mid", "high")
              for what in ("file_name", "sha256")),
            "camera_evs", "camera_response", "camera_noise", "camera_jpeg_quality",
        }  # fmt: skip
    assert not any("camera" in name for line in lines(three).values() for name in line)


def test_a_dataset_of_the_camera_track_alone_has_the_same_exposures(camera, both):
    assert verify(camera).ok
    assert open_dataset(camera).tracks == ("camera",)
    for one, other in zip(scenes(camera), scenes(both, "camera"), strict=True):
        assert (one.id, one.evs, one.response) == (other.id, other.evs, other.response)
        for exposure in ("low", "mid", "high"):
            np.testing.assert_array_equal(
                one.load_exposure(exposure), other.load_exposure(exposure)
            )


def test_exposures_are_those_of_the_scenes_own_camera(both):
    options = CameraOptions(jpeg=(60, 90))
    for scene in scenes(both, "camera"):
        record = scene.record
        drawn = scene_camera(options, 0, record.source.sha256, 1)
        assert (scene.evs, scene.response) == (drawn.evs, drawn.response)
        assert record.camera_noise.shot == tuple(noise.shot for noise in drawn.noise)
        assert record.camera_noise.read == tuple(noise.read for noise in drawn.noise)
        assert record.camera_jpeg_quality == drawn.jpeg_quality
        expected = camera_exposure(scene.load_ground_truth(), drawn, 1)
        np.testing.assert_array_equal(scene.load_exposure("mid"), expected)
    assert len({scene.evs for scene in scenes(both, "camera")}) == 3


def test_a_scenes_camera_depends_on_neither_split_number_nor_other_videos(both, clips, tmp_path):
    build_dataset(some_of(clips, tmp_path / "clips", range(2, 5)), tmp_path / "other", BOTH)
    ours, others = (
        {line["source"]["sha256"]: line for line in lines(folder).values()}
        for folder in (both, tmp_path / "other")
    )
    (shared,) = ours.keys() & others.keys()
    for name, value in ours[shared].items():
        if name.startswith("camera_") and not name.endswith("file_name"):
            assert others[shared][name] == value


def test_any_number_of_workers_and_an_extension_keep_every_byte(both, three_clips, clips, tmp_path):
    build_dataset(three_clips, tmp_path / "again", BOTH, workers=3)
    assert contents(tmp_path / "again") == contents(both)
    grown = copy(both, tmp_path / "grown")
    build_dataset(clips, grown, BOTH, workers=2)
    assert verify(grown).ok
    before, after = contents(both), contents(grown)
    assert all(after[name] == before[name] for name in before if name.endswith(".png"))


def test_another_seed_draws_other_cameras(three_clips, both, tmp_path):
    other = BuildSettings(min_height=100, track="both", jpeg=(60, 90), seed=1)
    build_dataset(three_clips, tmp_path / "seed", other)
    for one, two in zip(scenes(both, "camera"), scenes(tmp_path / "seed", "camera"), strict=True):
        assert one.evs != two.evs
        assert one.record.mid_sha256 == two.record.mid_sha256


def test_a_bracket_is_of_the_track_that_was_asked_for(both, camera):
    plain, paper = scenes(both)[0], scenes(both, "paper")[0]
    noisy = scenes(both, "camera")[0]
    assert plain.load_bracket().evs == paper.load_bracket().evs == (-1.5, 0.5, 2.5)
    bracket = noisy.load_bracket()
    assert bracket.evs == noisy.record.camera_evs != plain.evs
    assert bracket.response == noisy.response
    assert bracket.response.name == noisy.record.camera_response.model
    own = scenes(camera)[0].load_bracket()
    assert own.evs == bracket.evs
    assert (own.images == bracket.images).all()
    assert (plain.load_bracket().images != bracket.images).any()


def test_a_track_that_is_not_there_is_refused(three, camera):
    with pytest.raises(UsageError, match=r"are of the track paper, not camera; .* --track both"):
        open_dataset(three).scenes("test", "camera")
    with pytest.raises(UsageError, match="are of the track camera, not paper"):
        open_dataset(camera).scenes("test", "paper")


def test_columns_have_the_same_types_in_every_split(camera, both):
    for folder in (camera, both):
        kinds = {json.dumps(_kinds(line), sort_keys=True) for line in lines(folder).values()}
        assert len(kinds) == 1, "models with different parameters must look alike to Arrow"


def test_hugging_face_opens_both_tracks(camera, both, tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    for folder in (camera, both):
        opened = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
        assert {split: len(opened[split]) for split in opened} == {"train": 2, "test": 1}
        first = opened["test"][0]
        prefix = "camera_" if folder == both else ""
        record = scenes(folder, "camera")[-1]
        np.testing.assert_array_equal(
            np.asarray(first[f"{prefix}mid"]), record.load_exposure("mid")
        )
        assert first["camera_noise"]["shot"] == list(record.record.camera_noise.shot)
        assert first[f"{prefix}response"]["model"] == record.response.name


def _kinds(value):
    if isinstance(value, dict):
        return {key: _kinds(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_kinds(value[0])]
    return type(value).__name__


def test_a_card_and_dataset_json_say_what_was_drawn_from(camera, both):
    for folder, track in ((camera, "camera"), (both, "paper+camera")):
        record = json.loads((folder / "dataset.json").read_text())
        assert record["track"] == track
        assert record["settings"]["camera_noise"] == "0.0001 to 0.012"
        assert record["settings"]["camera_jpeg"] == "60 to 90"
        assert "gamma" not in record["settings"]["camera_models"].split(", ")
        card = (folder / "README.md").read_text()
        assert f"track `{track}`" in card
        assert "A camera is drawn for each scene" in card and "saved as JPEG" in card
        assert ("camera_low.png" in card) == (folder == both)


def test_without_noise_jitter_and_jpeg_only_the_response_is_drawn(three_clips, tmp_path):
    settings = BuildSettings(min_height=100, track="both", noise=None, ev_jitter=0.0)
    build_dataset(three_clips, tmp_path / "plain", settings)
    for scene in scenes(tmp_path / "plain", "camera"):
        assert scene.evs == (-1.5, 0.5, 2.5)
        assert scene.record.camera_noise.shot == (0, 0, 0)
        assert scene.record.camera_jpeg_quality is None


def test_other_cameras_are_other_settings(both, three_clips, tmp_path):
    output = copy(both, tmp_path / "dataset")
    for other in (CAMERA, BuildSettings(min_height=100, track="both", noise=(0.001, 0.01))):
        with pytest.raises(UsageError, match=r"built with other settings .*(track|camera_noise)"):
            build_dataset(three_clips, output, other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"camera_evs": None}, "in part only"),
        ({"camera_mid_sha256": None}, "in part only"),
        ({"camera_noise": None}, "in part only"),
        ({"camera_mid_file_name": "0001/../x.png"}, "not a plain relative path"),
        ({"camera_mid_file_name": "0001/other.png"}, "is no picture of scene 0001"),
        ({"camera_response": {"model": "beta", "parameters": "beta=much"}}, "camera_response"),
        ({"camera_response": {"model": "x", "parameters": "a=1"}}, "unknown camera response model"),
        ({"camera_response": {"model": "beta", "parameters": "beta=-1"}}, "must be positive"),
        ({"response": {"model": "beta", "parameters": {"name": 1}}}, "no parameter 'name'"),
        ({"camera_jpeg_quality": 101}, "camera_jpeg_quality"),
    ],
)
def test_a_line_that_says_half_or_too_much_of_the_camera_is_refused(
    both, tmp_path, change, message
):
    output = copy(both, tmp_path / "dataset")
    path = output / "test" / "metadata.jsonl"
    line = json.loads(path.read_text()) | change
    path.write_text(json.dumps({key: value for key, value in line.items() if value is not None}))
    with pytest.raises(IntegrityError, match=message):
        open_dataset(output)


def test_a_line_of_another_track_than_the_datasets_is_refused(both, three, tmp_path):
    output = copy(both, tmp_path / "dataset")
    (output / "test" / "metadata.jsonl").write_bytes(
        (three / "test" / "metadata.jsonl").read_bytes()
    )
    with pytest.raises(IntegrityError, match=r"track paper, but dataset\.json speaks of paper\+"):
        open_dataset(output)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"track": "raw"}, "--track 'raw'"),
        ({"noise": None}, "--ev-jitter, --noise and --jpeg belong to the camera track"),
        ({"jpeg": (50, 60)}, "--ev-jitter, --noise and --jpeg belong to the camera track"),
        ({"track": "camera", "model": "beta"}, "--model and --all-exposures belong to the paper"),
        ({"track": "camera", "all_exposures": True}, "--model and --all-exposures belong"),
        ({"track": "both", "ev_jitter": 1.0}, "--track both: a jitter of 1 stops"),
        ({"track": "both", "noise": (0.1, 0.01)}, "--track both: shot noise"),
        ({"track": "camera", "jpeg": (0, 10)}, "--track camera: JPEG qualities"),
    ],
)
def test_settings_that_do_not_go_together_are_named(wrong, message):
    with pytest.raises(UsageError, match=message):
        BuildSettings(**wrong)
