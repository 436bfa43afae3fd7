import cv2
import numpy as np
import pytest
from dataset_folders import write_clips

from dmef_bench.dataset import BuildSettings, build_dataset
from dmef_bench.errors import UsageError
from dmef_bench.training import GeneratedScenes, SampleKey, make_source
from dmef_bench.training.samples import bracket_sample
from synth.exposure import DEFAULT_EVS

KEYS = [SampleKey(5, step, slot) for step in (0, 1) for slot in (0, 1)]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / "photograph.png"), cv2.GaussianBlur(noise, (0, 0), 3))
    return folder


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return write_clips(tmp_path_factory.mktemp("clips") / "two", 2)


def test_samples_depend_on_their_key_only(photographs):
    forward = [make_source(None, photographs, 48, "camera").sample(key) for key in KEYS]
    source = make_source(None, photographs, 48, "camera")
    backward = [source.sample(key) for key in reversed(KEYS)][::-1]
    for one, other in zip(forward, backward, strict=True):
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.target, other.target)


def test_the_ground_truth_is_that_of_the_paper_track(photographs):
    paper, camera = (make_source(None, photographs, 48, track) for track in ("paper", "camera"))
    for key in KEYS:
        one, other = paper.sample(key), camera.sample(key)
        np.testing.assert_array_equal(one.target, other.target)
        assert (one.images != other.images).any()


def test_every_sample_has_a_camera_of_its_own():
    frame = np.full((32, 32, 3), 90, np.uint8)
    samples = [
        bracket_sample((frame,) * 3, np.random.default_rng(seed), "camera") for seed in range(8)
    ]
    middles = np.array([sample.images[1] for sample in samples], np.float64)
    assert len(np.unique(middles.mean((1, 2, 3)).round(1))) > 3, "responses differ"
    assert middles[0].std() > 0, "there is noise"
    assert middles.std((1, 2, 3)).max() > 2 * middles.std((1, 2, 3)).min(), "levels differ"


def test_the_evs_of_a_batch_stay_what_its_source_says(photographs):
    source = make_source(None, photographs, 48, "camera")
    assert source.evs == DEFAULT_EVS
    assert source.track == "camera"


def test_descriptions_name_the_camera_and_say_nothing_new_of_the_paper():
    assert GeneratedScenes(32).description() == {"kind": "generated", "crop": 32}
    assert GeneratedScenes(32, "camera").description()["track"] == "camera"


def test_a_dataset_serves_the_track_that_is_named(clips, photographs, tmp_path):
    settings = BuildSettings(min_height=100, track="both", ev_jitter=0.0)
    build_dataset(clips, tmp_path / "both", settings)
    paper, camera = (make_source(tmp_path / "both", None, 32, track) for track in (None, "camera"))
    assert (paper.track, camera.track) == ("paper", "camera")
    one, other = paper.sample(KEYS[0]), camera.sample(KEYS[0])
    np.testing.assert_array_equal(one.target, other.target)
    assert (one.images != other.images).any()
    assert paper.description() != camera.description()
    mixed = make_source(tmp_path / "both", photographs, 32, "camera")
    assert mixed.track == "camera"


def test_what_a_batch_cannot_hold_is_refused(clips, photographs, tmp_path):
    build_dataset(clips, tmp_path / "alone", BuildSettings(min_height=100, track="camera"))
    with pytest.raises(UsageError, match="can't be mixed in one training; name the one"):
        make_source(tmp_path / "alone", photographs, 32)
    build_dataset(
        write_clips(tmp_path / "more", 4),
        tmp_path / "jittered",
        BuildSettings(min_height=100, track="camera"),
    )
    with pytest.raises(UsageError, match=r"different EVs.*--ev-jitter 0"):
        make_source(tmp_path / "jittered", None, 32)
