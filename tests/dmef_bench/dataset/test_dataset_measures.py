import cv2
import imagehash
import numpy as np
import pytest
from media import picture
from PIL import Image
from skimage.measure import blur_effect

from dmef_bench.dataset.measures import UHD_SIDE, blur, clipping, motion, perceptual_hash
from dmef_bench.dataset.near_duplicates import HASH_BITS


def _frames(*shifts, size=(216, 384)):
    return tuple(picture(0, *size, shift=shift) for shift in shifts)


def _noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_flow_is_stated_in_pixels_of_4k():
    found = motion(_frames(0, 3, 9))
    assert found["flow_mean_12"] == pytest.approx(3 * UHD_SIDE / 384, rel=0.15)
    assert found["flow_mean_23"] == pytest.approx(6 * UHD_SIDE / 384, rel=0.15)
    assert found["flow_p95_12"] >= found["flow_mean_12"]
    assert found["moving_12"] > 0.95


def test_only_what_moves_counts_as_moving():
    still, moved = _frames(0, 0)[0], picture(0, 216, 384, shift=0)
    moved[100:180, 200:300] = picture(0, 216, 384, shift=4)[100:180, 200:300]
    found = motion((still, still, moved))
    assert found["moving_12"] == found["flow_p95_12"] == 0
    assert 0.05 < found["moving_23"] < 0.25


def test_motion_is_the_same_with_any_number_of_threads():
    frames, threads = _frames(0, 3, 5), cv2.getNumThreads()
    found = []
    try:
        for number in (1, 4):
            cv2.setNumThreads(number)
            found.append(motion(frames))
            assert cv2.getNumThreads() == number
    finally:
        cv2.setNumThreads(threads)
    assert found[0] == found[1]


@pytest.mark.parametrize("size", [(4, 4), (9, 300), (64, 1), (30, 30)])
def test_pictures_of_any_size_have_finite_motion_and_blur(size):
    for frames in (
        tuple(_noise(*size, seed) for seed in range(3)),
        (np.full((*size, 3), 7, np.uint8),) * 3,
    ):
        found = [*motion(frames).values(), blur(frames[1])]
        assert np.isfinite(found).all()


def test_clipped_shares_are_counted_by_pixel():
    pixels = np.full((10, 20, 3), 128, np.uint8)
    pixels[0, 0, 1] = pixels[1, 1] = 255
    pixels[5, :5, 2] = 0
    assert clipping("mid", pixels) == {"white_mid": 2 / 200, "black_mid": 5 / 200}


def test_blur_is_that_of_scikit_image_and_rises_with_blur():
    sharp = picture(0, 180, 320)
    grey = cv2.cvtColor(sharp, cv2.COLOR_RGB2GRAY)
    assert blur(sharp) == pytest.approx(blur_effect(grey / 255.0, h_size=9), abs=2e-4)
    values = [blur(cv2.GaussianBlur(sharp, (0, 0), sigma)) for sigma in (0.5, 1, 2, 4)]
    assert blur(sharp) < values[0] < values[1] < values[2] < values[3] < 1
    along = np.mean([np.roll(sharp, by, axis=1) for by in range(8)], axis=0).astype(np.uint8)
    assert blur(along) > blur(sharp) + 0.1, "blur along one axis is blur"


def test_a_hash_survives_another_encoding_and_tells_pictures_apart():
    def differing(first, second):
        return (int(perceptual_hash(first), 16) ^ int(perceptual_hash(second), 16)).bit_count()

    one, other = picture(0, 180, 320), picture(0, 180, 320, shift=300)
    coded = cv2.imdecode(cv2.imencode(".jpg", one, [cv2.IMWRITE_JPEG_QUALITY, 20])[1], 1)
    small = cv2.resize(one, (160, 90), interpolation=cv2.INTER_AREA)
    assert differing(one, coded) <= 4
    assert differing(one, small) <= 4
    assert differing(one, other) > 10
    hashed = imagehash.phash(Image.fromarray(one))
    assert perceptual_hash(one) == str(hashed)
    assert hashed.hash.size == HASH_BITS
