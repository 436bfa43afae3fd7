"""The largest input within a budget: real methods in real child processes."""

import json
from pathlib import Path

import proportional_methods
import pytest
import torch

from baselines import SizeRule
from dmef_bench.evaluation import ready_method
from dmef_bench.evaluation.max_resolution import (
    Attempt,
    KeptAttempts,
    ProbeRequest,
    attempt,
    probe,
)

METHODS = Path(proportional_methods.__file__)
MIB = 2**20
BUDGET = 64 * MIB


def _request(name, **more):
    return ProbeRequest(**{"method": f"{METHODS}:{name}", "weights": None, "device": "cpu",
                           "budget": BUDGET, **more})  # fmt: skip


def _kept(name, folder, **more):
    method = ready_method(getattr(proportional_methods, name), None, torch.device("cpu"))
    return KeptAttempts(_request(name), method, folder, **more)


def test_what_fits_is_told_with_its_peak():
    tried = attempt(_request("Proportional"), 96, 104)
    assert (tried.outcome, tried.reason) == ("fits", "")
    held = 96 * 104 * proportional_methods.BYTES_A_PIXEL
    assert held <= tried.peak_bytes <= BUDGET


def test_what_grows_over_the_budget_is_out_of_memory():
    tried = attempt(_request("Proportional"), 256, 256)
    assert tried.outcome == "out-of-memory"
    assert tried.peak_bytes > BUDGET
    refused = attempt(_request("AsksForTheImpossible"), 64, 64)
    assert refused.outcome == "out-of-memory"


@pytest.mark.parametrize(
    ("name", "outcome", "reason"),
    [
        ("KilledWhenLarge", "killed", "killed by SIGKILL"),
        ("HangsWhenLarge", "time-limit", "ended after 2 s"),
        ("RaisesWhenLarge", "failed", "too many pixels for me"),
        ("NoSuchClass", "failed", "has no class 'NoSuchClass'"),
    ],
)
def test_every_bad_end_has_its_outcome(name, outcome, reason):
    limit = 2.0 if outcome == "time-limit" else 120.0
    tried = attempt(_request(name, time_limit=limit), 208, 208)
    assert tried.outcome == outcome
    assert reason in tried.reason


def test_the_largest_size_is_found_and_measured_once(tmp_path):
    attempts = _kept("Proportional", tmp_path)
    found = probe(SizeRule(), BUDGET, attempts)
    height, width = found.size
    assert height == width
    # the exposures and what a first call needs anyway take their part of the 128² that 64 MiB hold
    assert 96 <= height <= 128
    assert found.refused.outcome == "out-of-memory"
    assert 0 < found.refused.height - height <= 8
    before = attempts.path.read_bytes()
    assert json.loads(before)["identity"]["budget"] == str(BUDGET)

    again = probe(SizeRule(), BUDGET, _kept("Proportional", tmp_path))
    assert again == found
    assert attempts.path.read_bytes() == before


def test_an_interrupted_search_goes_on_with_what_was_tried(tmp_path):
    attempts = _kept("Sixteenths", tmp_path)
    first = attempts(48, 48)
    second = _kept("Sixteenths", tmp_path)
    assert second.has(48, 48)
    assert second(48, 48) == first
    second(64, 64)
    assert len(json.loads(attempts.path.read_bytes())["attempts"]) == 2
    assert not _kept("Sixteenths", tmp_path, again=True).has(48, 48)
    attempts.path.write_bytes(b'{"identity": {}, "attempts": 3}')
    assert not _kept("Sixteenths", tmp_path).has(48, 48)


def _line(budget, bytes_a_pixel, overhead=0):
    """Tries of a method whose memory is known, without running it."""

    def tried(height, width):
        peak = overhead + bytes_a_pixel * height * width
        outcome = "fits" if peak <= budget else "out-of-memory"
        return Attempt(height, width, outcome, peak, 0.0)

    return tried


@pytest.mark.parametrize("budget", [100 * MIB, 2**30, 24 * 2**30])
@pytest.mark.parametrize("rule", [SizeRule(), SizeRule(48, 16), SizeRule(12), SizeRule(96, 32)])
@pytest.mark.parametrize("aspect", ["square", "16:9"])
def test_the_search_is_short_and_right(budget, rule, aspect):
    found = probe(rule, budget, _line(budget, 5000, 40 * MIB), aspect=aspect)
    height, width = found.size
    assert rule.fit(height, width) == (height, width)
    assert 40 * MIB + 5000 * height * width <= budget
    assert found.refused.width - width <= max(rule.multiple, 8, width // 64)
    assert len(found.attempts) <= 12
    assert height == width if aspect == "square" else abs(width / height - 16 / 9) < 0.5


def test_the_ends_of_the_search():
    everything = probe(SizeRule(), BUDGET, _line(BUDGET, 0), largest=1000)
    assert (everything.size, everything.refused) == ((1000, 1000), None)
    nothing = probe(SizeRule(64, 64), BUDGET, _line(BUDGET, 10**9))
    assert nothing.size is None
    assert nothing.refused.height == 64
    assert len(nothing.attempts) <= 2
