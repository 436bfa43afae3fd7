import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leaderboard.pages.axis import Axis, covering, covering_log


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=9))
@example([-3.3e-37, -8.9e-38])
@example([9999.0, 9999.000001])
def test_linear_axis_covers_its_values_with_round_ticks(values):
    axis = covering(values, 0.0, 100.0)
    assert axis.low < min(values) <= max(values) < axis.high
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 8
    assert all(axis.low <= tick <= axis.high for tick in ticks)
    assert all(0 <= axis.at(value) <= 100 for value in values)


@given(st.lists(st.floats(1e-4, 1e4), min_size=1, max_size=9))
def test_log_axis_covers_its_values(values):
    axis = covering_log(values, 0.0, 100.0)
    assert axis.low < min(values) <= max(values) < axis.high
    assert 2 <= len(axis.ticks()) <= 8
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks())
    assert all(0 < axis.at(value) < 100 for value in values)


def test_positions():
    assert Axis(0, 10, 100, 200).at(2.5) == 125
    assert Axis(1, 100, 0, 10, logarithmic=True).at(10) == pytest.approx(5)
    assert Axis(0, 10, 200, 100).at(10) == 100
