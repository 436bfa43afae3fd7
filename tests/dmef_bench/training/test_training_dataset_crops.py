import json

import cv2
import numpy as np
import pytest

from dmef_bench.dataset import open_dataset
from dmef_bench.errors import UsageError
from dmef_bench.training import GeneratedScenes, Mixture, SampleKey, make_source
from dmef_bench.training.dataset_crops import DatasetCrops

ORIENTATIONS = [(turns, flip) for turns in range(4) for flip in (False, True)]


def oriented(pixels, turns, flip):
    turned = np.rot90(pixels, turns, axes=(-2, -1))
    return turned[..., ::-1] if flip else turned


def windows_equal(whole, crop):
    """Whether some window of (C, H, W) equals the crop."""
    views = np.lib.stride_tricks.sliding_window_view(whole[0], crop.shape[-2:])
    for top, left in np.argwhere(views[..., 0, 0] == crop[0, 0, 0]):
        window = whole[..., top : top + crop.shape[-2], left : left + crop.shape[-1]]
        if np.array_equal(window, crop):
            return True
    return False


def test_crops_are_windows_of_training_scenes_whichever_way_round(dataset_folder):
    source = DatasetCrops(dataset_folder, 48)
    scenes = open_dataset(dataset_folder).scenes("train")
    wholes = [
        np.concatenate(
            [np.moveaxis(scene.load_picture(p), -1, 0) for p in ("low", "mid", "high", "gt")]
        )
        for scene in scenes
    ]
    for step in (0, 1, 40):
        sample = source.sample(SampleKey(0, step, 0))
        assert sample.images.shape == (3, 3, 48, 48) and sample.target.shape == (3, 48, 48)
        crop = np.concatenate([*sample.images, sample.target])
        assert any(
            windows_equal(oriented(whole, turns, flip), crop)
            for whole in wholes
            for turns, flip in ORIENTATIONS
        )


def test_samples_depend_on_their_key_only(dataset_folder):
    keys = [SampleKey(2, step, slot) for step in (0, 17) for slot in (0, 1)]
    forward = [DatasetCrops(dataset_folder, 32).sample(key).images for key in keys]
    source = DatasetCrops(dataset_folder, 32)
    backward = [source.sample(key).images for key in reversed(keys)][::-1]
    np.testing.assert_array_equal(forward, backward)


def test_description_names_the_content(dataset_folder):
    description = make_source(dataset_folder, None, 32).description()
    assert description["digest"] == open_dataset(dataset_folder).digest
    assert json.loads(json.dumps(description)) == description


def test_evs_are_the_datasets_and_mixed_only_with_their_like(dataset_folder, tmp_path):
    assert DatasetCrops(dataset_folder, 32).evs == (-1.5, 0.5, 2.5)
    cv2.imwrite(str(tmp_path / "photograph.png"), np.zeros((40, 40, 3), np.uint8))
    assert make_source(dataset_folder, tmp_path, 32).evs == (-1.5, 0.5, 2.5)
    other = GeneratedScenes(32)
    other.evs = (-1.0, 0.0, 1.0)
    with pytest.raises(UsageError, match="can't be mixed"):
        Mixture(DatasetCrops(dataset_folder, 32), other)


def test_crops_larger_than_a_scene_are_refused(dataset_folder):
    with pytest.raises(UsageError, match=r"train/\d+ is 192×108, smaller than samples of 128×128"):
        DatasetCrops(dataset_folder, 128)
