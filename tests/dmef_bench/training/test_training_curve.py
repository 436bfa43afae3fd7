"""The log as a picture."""

import itertools
import math

import cv2
import numpy as np
import pytest

from dmef_bench.training.curve import draw_curve, smoothed
from dmef_bench.training.log import TrainingLog
from dmef_bench.training.validation import Quality


def test_a_log_becomes_a_picture_that_depends_on_the_log_alone(tmp_path):
    pictures = []
    for scale in (1, 1, 2):
        log, picture = tmp_path / "log.csv", tmp_path / "log.png"
        log.unlink(missing_ok=True)
        with TrainingLog(log, 0, ("paper", "camera")) as rows:
            if not pictures:
                draw_curve(log, picture, "nothing yet")
            for step in range(1, 60):
                quality = Quality(20 + step / 10, 0.9 + step / 1000)
                validation = {"paper": quality, "camera": quality} if step % 20 == 0 else None
                rows.add(step, math.nan if step == 7 else scale / step, 1e-3 / step, validation)
        draw_curve(log, picture, "a method")
        pictures.append(picture.read_bytes())
    assert pictures[0] == pictures[1] != pictures[2]
    pixels = cv2.imdecode(np.frombuffer(pictures[0], np.uint8), cv2.IMREAD_COLOR)
    assert min(pixels.shape[:2]) > 500 and pixels.std() > 10


def test_the_smooth_line_forgets_and_passes_over_what_is_no_number():
    line = smoothed([1.0] * 100 + [math.nan, math.inf, 0.0] + [4.0] * 400)
    assert line[:103] == pytest.approx([1.0] * 103)
    assert 1 < line[104] < 2 and line[-1] == pytest.approx(4.0, rel=1e-3)
    assert all(a <= b for a, b in itertools.pairwise(line))
    assert smoothed([2.0, 8.0]) == pytest.approx([2.0, 8.0])
    assert math.isnan(smoothed([math.nan])[0])
