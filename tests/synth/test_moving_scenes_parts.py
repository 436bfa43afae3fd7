"""Parts of moving scenes: textures, stamps, paths and lamps."""

import numpy as np
import pytest

from synth.moving_scenes import lamps, motion, stamps, textures
from synth.moving_scenes.surface import FULL_SCALE, Surface


def test_textures_repeat_without_a_seam():
    for name, texture in zip(textures.NAMES, textures.texture_atlas(), strict=True):
        values = texture.astype(int)
        side = textures.TILE
        assert texture.shape == (2 * side, 2 * side)
        seam = np.abs(values[:, side] - values[:, side - 1]).mean()
        inside = np.abs(np.diff(values[:, : side - 1], axis=1)).mean(axis=0).max()
        assert seam <= inside + 8, name
        with pytest.raises(ValueError, match="read-only"):
            texture[0, 0] = 1


def test_noise_has_the_spectrum_asked_for():
    noise = textures.power_noise(np.random.default_rng(0), 256, 1.0)
    power = np.abs(np.fft.fft2(noise)) ** 2
    low, high = power[1:9, 0].mean(), power[8:72, 0].mean()
    assert noise.std() == pytest.approx(1, rel=1e-4)
    assert noise.mean() == pytest.approx(0, abs=1e-4)
    assert low > 8 * high


@pytest.mark.parametrize("number", range(stamps.STAMPS))
@pytest.mark.parametrize("side", [5, 40, 700])
def test_a_stamp_has_any_side_and_the_same_cover_at_all(number, side):
    mask = stamps.stamp_mask(number, side)
    assert mask.shape == (side, side)
    full = stamps.stamp_mask(number, stamps.STAMP_SIDE)
    assert mask.mean() == pytest.approx(full.mean(), rel=0.25)


def test_the_frame_stays_on_the_canvas_wherever_the_camera_goes():
    for seed in range(20):
        path = motion.draw_camera(np.random.default_rng(seed), 270, 480, 270.0, 1.0)
        corners = np.array([[0, 480, 480, 0], [0, 0, 270, 270], [1, 1, 1, 1]])
        for time in np.linspace(0, 60, 200):
            x, y, _ = path.to_canvas(time) @ corners
            assert x.min() >= 0
            assert x.max() <= 480 + 2 * path.margin
            assert y.min() >= 0
            assert y.max() <= 270 + 2 * path.margin


def test_a_thing_that_leaves_on_one_side_comes_in_on_the_other():
    path = motion.ObjectPath((90.0, 50.0), (10.0, 0.0), (100.0, 100.0), reach=5.0)
    places = [path.to_canvas(time)[0, 2] for time in (0.0, 1.0, 2.0)]
    assert places == pytest.approx([90, 100, 0])


def test_a_lamp_is_as_bright_as_asked_for_and_adds_to_what_is_there():
    codes = np.full((64, 64, 3), 6000, np.uint16)
    before = (codes[0, 0].astype(float) / 65535) ** 2 * FULL_SCALE
    lamps.add_lamp(codes, 32, 32, 3, np.array([8, 4, 2], np.float32))
    radiance = (codes / 65535) ** 2 * FULL_SCALE
    assert radiance[32, 32] == pytest.approx(before + np.array([8, 4, 2]), rel=1e-3)
    assert (radiance[32, 38:60, 0] > before[0]).all()
    assert (np.diff(radiance[32, 36:60, 0]) <= 0).all()


def test_codes_are_the_root_of_reflectance_times_light_times_illumination():
    surface = Surface(np.full((40, 50, 3), 128, np.uint8), np.full((40, 50), 200, np.uint8))
    gain = np.full((40, 50), 1.25, np.float32)
    radiance = (surface.codes(gain) / 65535) ** 2 * FULL_SCALE
    expected = (128 / 255 * 200 / 255 * 1.25) ** 2
    np.testing.assert_allclose(radiance, expected, rtol=1e-3)
