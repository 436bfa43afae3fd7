import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from leaderboard.statistics import mean_over_scenes, paired_difference


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=40))
def test_interval_is_that_of_scipy(values):
    found = mean_over_scenes(values)
    theirs = stats.ttest_1samp(values, 0.0).confidence_interval(0.95) if np.ptp(values) else None
    assert found.mean == pytest.approx(np.mean(values), abs=1e-9)
    if theirs is not None:
        assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-8)


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 60)), min_size=3, max_size=30))
def test_paired_difference_is_that_of_scipy(pairs):
    ours, base = ({f"s{i}": pair[side] for i, pair in enumerate(pairs)} for side in (0, 1))
    found = paired_difference(ours, base)
    differences = [a - b for a, b in pairs]
    assert found.mean == pytest.approx(np.mean(differences), abs=1e-9)
    if np.ptp(differences) > 1e-6:
        theirs = stats.ttest_rel(*zip(*pairs, strict=True)).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-7)


def test_pairing_uses_common_scenes_only():
    found = paired_difference({"a": 1.0, "b": 2.0, "c": 9.0}, {"b": 1.0, "c": 1.0, "d": 0.0})
    assert (found.mean, found.count) == (4.5, 2)


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_scenes_have_no_interval(count):
    found = mean_over_scenes([3.0, 5.0][:count])
    assert found.half_width is None
    assert not found.excludes_zero
    assert found.low == found.high == found.mean


def test_nothing_has_no_mean():
    assert mean_over_scenes([]) is None
    assert paired_difference({"a": 1.0}, {"b": 1.0}) is None


def test_infinite_psnr():
    found = mean_over_scenes([30.0, math.inf, 31.0])
    assert (found.mean, found.half_width) == (math.inf, None)
    assert mean_over_scenes([math.inf, -math.inf, 1.0]) is None


def test_two_infinities_in_a_scene_differ_by_zero():
    found = paired_difference(
        {"a": math.inf, "b": 31.0, "c": 32.0}, {"a": math.inf, "b": 30.0, "c": 30.0}
    )
    assert found.mean == pytest.approx(1.0)
    assert found.half_width is not None
    one_sided = paired_difference({"a": 30.0, "b": 1.0, "c": 1.0}, {"a": math.inf, "b": 1, "c": 1})
    assert (one_sided.mean, one_sided.half_width) == (-math.inf, None)


def test_excluding_zero():
    assert mean_over_scenes([1.0, 1.1, 0.9, 1.0]).excludes_zero
    assert not mean_over_scenes([1.0, -1.1, 0.9, -1.0]).excludes_zero
