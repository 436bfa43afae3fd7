import numpy as np
import pytest
import torch
from fusion_methods import Average, Choosy
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from baselines import Bracket
from dmef_bench.evaluation import (
    MethodCall,
    NativeProtocol,
    PaperProtocol,
    TiledProtocol,
    predict,
    to_eight_bit,
)
from dmef_bench.evaluation.protocols import reflect_to


def _bracket(height, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Bracket(torch.rand(1, 3, 3, height, width, generator=generator), (-1.5, 0.5, 2.5))


def _average(bracket):
    return bracket.images.mean(dim=1)


def _smoothed(bracket):
    kernel = torch.ones(3, 1, 5, 5) / 25
    padded = functional.pad(bracket.reference, (2, 2, 2, 2), mode="reflect")
    return functional.conv2d(padded, kernel, groups=3)


@pytest.mark.parametrize("antialias", [False, True])
def test_paper_is_bilinear_down_and_up(antialias):
    bracket = _bracket(90, 160)
    protocol = PaperProtocol((30, 30), antialias)
    small = functional.interpolate(
        bracket.images[0], size=(30, 30), mode="bilinear", antialias=antialias
    )
    expected = functional.interpolate(small.mean(0, keepdim=True), size=(90, 160), mode="bilinear")
    torch.testing.assert_close(protocol.predict(bracket, _average), expected)
    assert protocol.call_size(90, 160) == (30, 30)


def test_paper_never_enlarges():
    protocol = PaperProtocol((256, 20))
    assert protocol.call_size(90, 160) == (90, 20)
    bracket = _bracket(40, 18)
    assert torch.equal(protocol.predict(bracket, _average), _average(bracket))


def test_paper_without_a_resolution_is_the_whole_picture():
    bracket = _bracket(33, 47)
    assert torch.equal(PaperProtocol(None).predict(bracket, _average), _average(bracket))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 48), st.data())
def test_tiles_give_exactly_what_native_gives_for_single_pixels(height, width, tile, data):
    overlap = data.draw(st.integers(0, tile // 2))
    protocol = TiledProtocol(tile, overlap)
    bracket = _bracket(height, width, seed=height * 100 + width)
    sizes = []

    def fuse(piece):
        sizes.append(piece.size)
        return _average(piece)

    assert torch.equal(protocol.predict(bracket, fuse), _average(bracket))
    assert set(sizes) == {protocol.call_size(height, width)}
    assert len(sizes) == protocol.calls(height, width)


def test_seams_of_a_local_method_lie_where_tiles_know_enough():
    bracket = _bracket(100, 140)
    tiled = TiledProtocol(48, 24).predict(bracket, _smoothed)
    torch.testing.assert_close(tiled, _smoothed(bracket))


def test_disagreeing_tiles_pass_into_each_other_smoothly():
    tiles = iter([0.0, 1.0])
    bracket = _bracket(32, 48)
    picture = TiledProtocol(32, 16).predict(
        bracket, lambda piece: torch.full((1, 3, *piece.size), next(tiles))
    )
    line = picture[0, 0, 0]
    steps = line.diff()
    assert line[0] == 0
    assert line[-1] == 1
    assert bool((steps >= 0).all())
    assert float(steps.max()) < 0.25
    assert bool((line[:4] == 0).all())
    assert bool((line[-4:] == 1).all())


@pytest.mark.parametrize(("tile", "overlap"), [(32, 17), (0, 0), (8, -1)])
def test_tiles_that_can_not_be_laid_are_refused(tile, overlap):
    with pytest.raises(ValueError, match=f"tiles of {tile} pixels"):
        TiledProtocol(tile, overlap)


@pytest.mark.parametrize(
    "protocol", [NativeProtocol(), PaperProtocol((50, 60)), TiledProtocol(70, 10)]
)
def test_size_rules_are_kept_and_undone(protocol):
    method = Choosy()
    bracket = _bracket(75, 101)
    seen = predict(MethodCall(method, "float32"), protocol, bracket, 1).picture
    assert all(height >= 96 and height % 32 == 0 for height, _ in method.sizes)
    assert all(width >= 96 and width % 32 == 0 for _, width in method.sizes)
    free = predict(MethodCall(Average(), "float32"), protocol, bracket, 1).picture
    assert np.array_equal(seen, free)


@pytest.mark.parametrize(("length", "wanted"), [(1, 4), (3, 9), (5, 5), (4, 7)])
def test_reflection_is_numpys(length, wanted):
    values = np.arange(length * 2.0).reshape(2, length)
    expected = np.pad(values, ((0, 1), (0, wanted - length)), mode="reflect")
    assert np.array_equal(reflect_to(torch.from_numpy(values), 3, wanted).numpy(), expected)


def test_eight_bit_rounds_and_clips_as_a_png_would():
    values = torch.tensor([-0.2, 0.0, 0.5 / 255 + 1e-6, 0.5 / 255 - 1e-6, 1.0, 7.0])
    picture = to_eight_bit(values.expand(1, 3, 1, 6))
    assert picture[0, :, 0].tolist() == [0, 0, 1, 0, 255, 255]
    every = torch.arange(256).expand(1, 3, 1, 256) / 255
    assert picture.dtype == np.uint8
    assert to_eight_bit(every)[0, :, 1].tolist() == list(range(256))
