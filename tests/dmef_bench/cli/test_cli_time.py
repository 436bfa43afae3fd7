"""`dmef-bench time` at sizes that take no time."""

import json

import pytest

from dmef_bench.cli.picture_size import parse_picture_size
from dmef_bench.errors import UsageError
from dmef_bench.evaluation.call_times import TimeOptions, time_calls
from dmef_bench.evaluation.timing_pictures import timing_bracket

BROKEN = """
from baselines import Method, MethodInfo

class Broken(Method):
    info = MethodInfo(name="broken", title="B", year=2026, paper="", licence="MIT", kind="bound")

    def load(self, weights, device):
        self.device = device

    def fuse(self, bracket):
        if bracket.size[1] > 40:
            raise ArithmeticError("too wide")
        return bracket.images[:, 1]
"""


def test_every_figure_of_ipl_is_there():
    times = time_calls(TimeOptions(repeats=1, caches=("off", "exact", "position")), 40, 52)
    assert (times.height, times.width) == (40, 52)
    for part in ("decode", "to_float", "warm", "next_picture", "to_eight_bit"):
        assert getattr(times, part).count == 1
        assert getattr(times, part).median > 0
    assert times.cold > 0 and times.load > 0
    assert times.upload is times.download is None, "nothing is moved on a CPU"
    assert times.streaming.seconds > 0
    assert times.relative_error is None
    caches = {cache.mode: cache for cache in times.caches}
    assert list(caches) == ["off", "exact", "position"]
    assert caches["exact"].next_picture_hits < caches["exact"].blocks
    assert caches["position"].next_picture_hits == caches["position"].blocks > 0
    assert caches["off"].cache_bytes == 0 < caches["exact"].cache_bytes


def test_half_precision_tells_its_error():
    times = time_calls(TimeOptions(repeats=1, precision="bfloat16"), 32, 40)
    assert 0 < times.relative_error < 0.02
    assert 0 < times.largest_error < 0.1
    assert times.streaming is None


def test_too_little_memory_for_streaming_says_how_much_is_needed(dmef_bench):
    ended = dmef_bench(
        "time", "--size", "40x32", "--repeats", 1, "--max-memory", "1MiB", "--device", "cpu", "-q"
    )
    assert ended.code == 1
    assert "ipl at 40x32: a picture 40 pixels wide needs at least" in ended.err
    assert ended.err.count("\n") == 1


def test_pictures_are_a_moving_scene_from_dark_to_bright():
    low, mid, high = timing_bracket(36, 50, 0)
    assert low.shape == (36, 50, 3)
    assert low.mean() < mid.mean() < high.mean()
    again, following = timing_bracket(36, 50, 0)[1], timing_bracket(36, 50, 1)[1]
    assert (again == mid).all() and not (following == mid).all()


def test_sizes_are_timed_apart_and_one_that_fails_is_named(dmef_bench, tmp_path):
    (tmp_path / "own.py").write_text(BROKEN)
    ended = dmef_bench(
        "time", "--method", f"{tmp_path / 'own.py'}:Broken", "--size", "34x32", "--size", "48x32",
        "--repeats", 1, "--device", "cpu", "--results", tmp_path / "times.json", "-q",
    )  # fmt: skip
    assert ended.code == 1
    assert "48x32" in ended.err and "too wide" in ended.err
    assert "warm, same picture" in ended.out
    written = json.loads((tmp_path / "times.json").read_text())
    assert list(written["sizes"]) == ["34x32"]
    assert "too wide" in written["failed"]["48x32"]
    assert written["sizes"]["34x32"]["machine"]["device"]
    assert written["sizes"]["34x32"]["warm"]["count"] == 1
    assert written["sizes"]["34x32"]["streaming"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--size", "5k"], "--size"),
        (["--size", "8x4000"], "32 to"),
        (["--size", "64x64", "--method", "nothing"], "nothing"),
        (["--size", "64x64", "--method", "copy-reference", "--cache", "exact"], "--cache"),
        (["--size", "64x64", "--max-memory", "much"], "--max-memory"),
    ],
)
def test_wrong_options_are_named(dmef_bench, options, said):
    ended = dmef_bench("time", "--device", "cpu", "-q", "--repeats", 1, *options)
    assert ended.code == 2
    assert said in ended.err and "Traceback" not in ended.err


def test_sizes_as_people_write_them():
    assert parse_picture_size("--size", "4K", 32) == (2160, 3840)
    assert parse_picture_size("--size", "640×360", 32) == (360, 640)
    with pytest.raises(UsageError, match="--size"):
        parse_picture_size("--size", "640", 32)
