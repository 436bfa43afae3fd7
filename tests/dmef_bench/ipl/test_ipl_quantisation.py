"""Quantisation against eqs. 5-8 written out in Python's own floats."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from dmef_bench.ipl.quantisation import dequantise, quantise

BITS = [4, 8, 16]
EPSILON = {np.dtype("float32"): 2.0**-23, np.dtype("float64"): 2.0**-52}


def equations(values, bits):
    """(s, t') by eqs. 5, 6 (not clamped), 7 (as eq. 8 inverts it) and 8."""
    top = 2**bits - 1
    s = (max(values) - min(values)) / top
    if s == 0:
        return 0.0, list(values)
    z = round(-min(values) / s)
    codes = [min(max(round(t / s + z), 0), top) for t in values]
    return s, [s * (q - z) for q in codes]


def blocks(dtype, **limits):
    width = 32 if dtype == np.float32 else 64
    elements = st.floats(width=width, **limits)
    return arrays(dtype, array_shapes(max_dims=4, max_side=5), elements=elements)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("low, high", [(-1.0, 2.0), (0.0, 1.0), (10.0, 11.0), (-7.0, -6.9)])
def test_values_are_those_of_the_equations(bits, low, high):
    block = np.random.default_rng(0).uniform(low, high, 500)
    s, expected = equations(block.tolist(), bits)
    quantised = quantise(torch.from_numpy(block), bits)
    assert quantised.step == pytest.approx(s, rel=1e-12)
    np.testing.assert_allclose(dequantise(quantised).numpy(), expected, rtol=0, atol=s * 1e-6)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_round_trip_is_within_half_a_step(bits, dtype, data):
    block = data.draw(blocks(dtype, min_value=-(2.0**100), max_value=2.0**100))
    quantised = quantise(torch.from_numpy(block), bits)
    back = dequantise(quantised)
    assert back.shape == block.shape and back.dtype == torch.from_numpy(block).dtype
    rounding = 8 * EPSILON[block.dtype] * np.abs(block).max() + 1e-45
    apart = np.abs(back.numpy().astype(np.float64) - block.astype(np.float64))
    assert apart.max() <= quantised.step / 2 * (1 + 1e-4) + rounding


@settings(max_examples=60, deadline=None)
@given(block=blocks(np.float32, allow_nan=True, allow_infinity=True))
def test_infinities_and_nan_come_back_and_disturb_nobody(block):
    quantised = quantise(torch.from_numpy(block))
    back = dequantise(quantised).numpy()
    finite = np.isfinite(block)
    np.testing.assert_array_equal(back[~finite], block[~finite])
    if finite.any():
        rounding = 2.0**-20 * np.abs(block[finite]).max() + 1e-45
        apart = np.abs(back[finite].astype(np.float64) - block[finite].astype(np.float64))
        assert apart.max() <= quantised.step / 2 * (1 + 1e-4) + rounding
        alone = quantise(torch.from_numpy(block[finite]))
        assert (alone.step, alone.base) == (quantised.step, quantised.base)


@pytest.mark.parametrize("value", [0.0, -0.0, 3.7, -1e30, 1e-42, math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("bits", BITS)
def test_constant_blocks_come_back_exactly(value, bits):
    block = torch.full((3, 2, 5), value)
    torch.testing.assert_close(
        dequantise(quantise(block, bits)), block, rtol=0, atol=0, equal_nan=True
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_keeps_its_dtype_and_its_error(dtype):
    block = torch.linspace(-2, 5, 999).to(dtype)
    quantised = quantise(block)
    back = dequantise(quantised)
    assert back.dtype == dtype
    rounding = torch.finfo(dtype).eps * 5
    assert (back.double() - block.double()).abs().max() <= quantised.step / 2 + rounding


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_no_finite_value_comes_back_infinite(bits, dtype):
    most = torch.finfo(dtype).max
    for values in ([-most, most, 0.0, 1.0], [most, most * 0.999, most * 0.99], [-most, 1.0, 2.0]):
        block = torch.tensor(values, dtype=torch.float64).to(dtype)
        quantised = quantise(block, bits)
        back = dequantise(quantised)
        rounding = torch.finfo(dtype).eps * most
        apart = (back.double() / 2 - block.double() / 2).abs().max()
        assert apart <= quantised.step / 4 * (1 + 1e-4) + rounding
    if dtype == torch.float64:
        wide = torch.tensor([-most, most, 1.5], dtype=dtype)
        assert torch.equal(dequantise(quantise(wide, bits)), wide)


def test_the_whole_range_of_float32_fits():
    block = torch.tensor([-3.4e38, -1.0, 0.0, 1e38, 3.4e38])
    quantised = quantise(block)
    apart = (dequantise(quantised).double() - block.double()).abs()
    assert apart.max() <= quantised.step / 2 * 1.0001


@pytest.mark.parametrize("count", [0, 1, 7, 8])
@pytest.mark.parametrize("bits", BITS)
def test_bytes_are_the_bits_asked_for(bits, count):
    quantised = quantise(torch.rand(count), bits)
    assert quantised.bytes == math.ceil(count * bits / 8)
    assert dequantise(quantised).shape == (count,)


def test_transposed_blocks_keep_their_places():
    block = torch.rand(4, 6).t()
    assert (dequantise(quantise(block)) - block).abs().max() < 0.01


def test_other_requests_are_refused():
    with pytest.raises(ValueError, match="bits is one of"):
        quantise(torch.rand(3), 7)
    with pytest.raises(ValueError, match="floating point"):
        quantise(torch.arange(3))


def test_eq_7_as_printed_is_not_inverted_by_eq_8():
    """What the corrected reading is for: round(t / (s + z)) loses a block that starts at -1."""
    values = np.linspace(-1, 1, 9)
    s = 2 / 255
    z = round(1 / s)
    printed = s * (np.clip(np.round(values / (s + z)), 0, 255) - z)
    assert np.abs(printed - values).max() > 1
    back = dequantise(quantise(torch.from_numpy(values))).numpy()
    assert np.abs(back - values).max() <= s / 2 * 1.0001
