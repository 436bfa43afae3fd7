import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from baselines import Bracket
from baselines.gdc import GDC, composition, gradient_directed_composition
from baselines.gdc.pixel_weights import gradient

GOLDEN = Path(__file__).parents[1] / "golden" / "gdc.npz"


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN) as figures:
        return dict(figures)


def exposed(height, width, seed=0, evs=(-1.5, 0.5, 2.5)):
    random = np.random.default_rng(seed)
    scene = np.kron(random.random((-(-height // 8), -(-width // 8), 3)), np.ones((8, 8, 1)))
    scene = 0.8 * scene[:height, :width] + 0.2 * random.random((height, width, 3))
    return np.stack([np.clip(scene * 2.0**ev, 0, 1) for ev in evs], axis=-1)


@pytest.mark.parametrize("mode", ["static", "dynamic"])
def test_equals_the_authors_own_result(golden, mode):
    fused = gradient_directed_composition(golden["stack"] / 255, dynamic=mode == "dynamic")
    assert fused.dtype == np.float64
    assert np.abs(fused[golden["rows"]] - golden[f"out_{mode}"]).max() < 1e-6


@pytest.mark.parametrize("dynamic", [True, False])
def test_strips_and_threads_leave_no_seam(monkeypatch, dynamic):
    stack = exposed(150, 90)
    whole = gradient_directed_composition(stack, dynamic)
    monkeypatch.setattr(composition, "_STRIP_PIXELS", 1)
    in_strips = gradient_directed_composition(stack, dynamic)
    assert np.abs(in_strips - whole).max() < 1e-9
    assert np.array_equal(in_strips, gradient_directed_composition(stack, dynamic))


@pytest.mark.parametrize("dynamic", [True, False])
@pytest.mark.parametrize(
    "size", [(1, 1), (1, 50), (50, 1), (2, 3), (15, 17), (33, 47)], ids=lambda size: str(size)
)
def test_any_size_gives_numbers_in_range(size, dynamic):
    fused = gradient_directed_composition(exposed(*size), dynamic)
    assert fused.shape == (*size, 3)
    assert np.isfinite(fused).all()
    assert fused.min() >= 0
    assert fused.max() <= 1


@pytest.mark.parametrize("dynamic", [True, False])
@pytest.mark.parametrize("values", [(0, 0, 0), (1, 1, 1), (0.05, 0.5, 0.95), (0, 0, 1)])
def test_flat_pictures_are_averaged_by_how_well_they_are_exposed(values, dynamic):
    stack = np.broadcast_to(np.array(values, dtype=np.float64), (20, 30, 3, 3))
    weights = np.exp(-0.5 * ((np.array(values) - 0.5) / 0.2) ** 2)
    fused = gradient_directed_composition(stack, dynamic)
    assert np.allclose(fused, (weights * values).sum() / weights.sum(), atol=1e-12)


def test_an_area_clipped_in_every_exposure_gives_no_nan():
    stack = exposed(96, 128)
    stack[:70, :80] = 1.0
    stack[70:, 80:] = 0.0
    fused = gradient_directed_composition(stack)
    assert np.isfinite(fused).all()
    assert np.allclose(fused[5:30, 5:30], 1.0)


def test_a_flat_picture_has_no_gradient_at_all():
    ramp = np.repeat(np.linspace(0.1, 0.9, 31)[None], 23, axis=0)
    magnitude, orientation = gradient(ramp)
    assert magnitude.min() > 0
    assert (orientation == np.pi).all()
    for flat in gradient(np.full((23, 31), 0.123456789)):
        assert not flat.any()


def test_the_order_of_the_exposures_does_not_matter():
    stack = exposed(40, 56, evs=(-3, -1, 1, 3))
    fused = gradient_directed_composition(stack)
    assert np.allclose(gradient_directed_composition(stack[..., [2, 0, 3, 1]]), fused, atol=1e-12)


def test_single_precision_in_single_precision_out():
    stack = exposed(64, 48).astype(np.float32)
    fused = gradient_directed_composition(stack)
    assert fused.dtype == np.float32
    in_double = gradient_directed_composition(stack.astype(np.float64))
    assert np.abs(fused - in_double).max() < 1e-7


def test_memory_beside_the_result_does_not_grow_with_the_picture(monkeypatch):
    monkeypatch.setattr(composition, "_STRIP_PIXELS", 1 << 16)

    def beside_result(length):
        stack = exposed(length, length)
        tracemalloc.start()
        result = gradient_directed_composition(stack)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak - result.nbytes

    assert beside_result(1024) < 1.5 * beside_result(512)


@pytest.mark.parametrize(
    "stack",
    [
        np.zeros((8, 8, 3)),
        np.zeros((8, 8, 4, 3)),
        np.zeros((8, 8, 3, 1)),
        np.zeros((0, 8, 3, 3)),
        np.zeros((8, 8, 3, 3), np.uint8),
        np.full((8, 8, 3, 3), np.nan),
    ],
    ids=["3-d", "4 channels", "1 exposure", "empty", "integers", "NaN"],
)
def test_what_is_no_stack_is_refused(stack):
    with pytest.raises(ValueError, match="stack"):
        gradient_directed_composition(stack)


def test_the_method_fuses_each_scene_of_a_batch():
    stacks = [exposed(32, 40, seed).astype(np.float32) for seed in (0, 1)]
    images = torch.from_numpy(np.stack(stacks)).permute(0, 4, 3, 1, 2)
    fused = GDC().fuse(Bracket(images, (-1.5, 0.5, 2.5)))
    assert fused.dtype == torch.float32
    for scene, stack in zip(fused, stacks, strict=True):
        expected = gradient_directed_composition(stack, dynamic=True)
        assert np.array_equal(scene.permute(1, 2, 0).numpy(), expected)
