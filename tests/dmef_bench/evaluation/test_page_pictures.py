import cv2
import numpy as np
import pytest

from dmef_bench.evaluation.crops import SIDE, choose_crops
from dmef_bench.evaluation.pictures import ERROR_SCALE, error_map
from synth.camera_response import Sigmoid
from synth.exposure import expose


@pytest.fixture(scope="module")
def still():
    """Low, mid, high and truth of a scene without motion; nothing in it is clipped."""
    coarse = np.random.default_rng(5).uniform(40, 160, (60, 90, 3))
    truth = cv2.resize(coarse, (900, 600), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    low, mid, high = (expose(truth, ev, Sigmoid()) for ev in (-1.5, 0.2, 1.0))
    return low, mid, high, truth


def _holds(crop, top, left, bottom, right):
    return (
        crop.y <= top and crop.x <= left
        and crop.y + crop.height >= bottom and crop.x + crop.width >= right
    )  # fmt: skip


def test_the_first_crop_is_where_the_reference_lost_most(still):
    low, mid, high, truth = still
    mid = mid.copy()
    mid[100:160, 700:760] = 255
    clipped, _ = choose_crops(low, mid, high, truth)
    assert clipped.what == "clipped"
    assert _holds(clipped, 100, 700, 160, 760)


def test_the_second_crop_is_where_something_moved(still):
    low, mid, high, truth = still
    low = low.copy()
    low[400:480, 100:180] = low[400:480, 100:180][::-1, ::-1]
    _, moving = choose_crops(low, mid, high, truth)
    assert moving.what == "motion"
    assert _holds(moving, 400, 100, 480, 180)


def test_crops_do_not_overlap_where_there_is_room(still):
    low, mid, high, truth = still
    mid, low = mid.copy(), low.copy()
    mid[200:300, 400:500] = 255
    low[200:300, 400:500] = low[200:300, 400:500][::-1]
    one, other = choose_crops(low, mid, high, truth)
    assert abs(one.x - other.x) >= SIDE or abs(one.y - other.y) >= SIDE


@pytest.mark.parametrize("size", [(11, 13), (255, 256), (257, 300), (100, 2000)])
def test_crops_lie_inside_pictures_of_any_size(size):
    noise = np.random.default_rng(0)
    pictures = [noise.integers(0, 256, (*size, 3), dtype=np.uint8) for _ in range(4)]
    for crop in choose_crops(*pictures):
        assert (crop.height, crop.width) == (min(SIDE, size[0]), min(SIDE, size[1]))
        assert 0 <= crop.y <= size[0] - crop.height
        assert 0 <= crop.x <= size[1] - crop.width


def test_error_colours_have_a_fixed_scale():
    truth = np.full((90, 1280, 3), 100, np.uint8)
    result = truth.copy()
    result[:, 640:] += round(255 * ERROR_SCALE)
    result[:, 960:, :] += 60
    coloured = error_map(result, truth)
    assert coloured.shape == (45, 640, 3)
    last = cv2.applyColorMap(np.full((1, 1), 255, np.uint8), cv2.COLORMAP_INFERNO)[0, 0, ::-1]
    none = cv2.applyColorMap(np.zeros((1, 1), np.uint8), cv2.COLORMAP_INFERNO)[0, 0, ::-1]
    assert np.array_equal(coloured[20, 10], none)
    assert np.array_equal(coloured[20, 400], last)
    assert np.array_equal(coloured[20, 600], last)
