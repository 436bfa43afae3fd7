import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from run_folders import PSNRS, write_run

from leaderboard import build_leaderboard, load_runs, quality_speed_figure
from leaderboard.pages.label_places import Bubble, place_labels, text_width
from leaderboard.records import CostRecord, Spread

SVG = "{http://www.w3.org/2000/svg}"


def run(folder, name, psnr, seconds, parameters=None, **more):
    spread = Spread(median=seconds, lower_quartile=seconds, upper_quartile=seconds, count=5)
    cost = CostRecord(inference_seconds=spread, total_seconds=spread)
    write_run(folder, name, (psnr,) * 5, cost=cost, method={"parameters": parameters}, **more)


def figure_of(folder, **options):
    board = build_leaderboard(load_runs(folder))
    text = str(quality_speed_figure(board, alone=True, **options))
    return text, ET.fromstring(text) if text else None


def dots(root, kind):
    groups = [g for g in root.iter(f"{SVG}g") if g.get("class") == kind]
    shapes = [(g.findtext(f"{SVG}title"), shape) for g in groups for shape in g]
    return {title: shape for title, shape in shapes if title and "dot" in shape.get("class", "")}


def test_a_picture_no_larger_than_what_a_method_takes_is_whole(tmp_path):
    run(tmp_path, "bracketire", 30, 1.0, protocol="paper", resolution=(1024, 1024))
    for pixels, words in (((1024, 512), "whole picture"), ((1024, 1025), "scaled down")):
        assert words in figure_of(tmp_path, pixels=pixels)[0]


def test_area_is_parameters_and_colour_is_how_a_method_was_fed(tmp_path):
    run(tmp_path, "ipl", 40, 0.01, 250_000)
    run(tmp_path, "sctnet", 30, 1.0, 1_000_000, protocol="paper", resolution=(200, 200))
    run(tmp_path, "ahdrnet", 38, 9.0, 1_000_000, protocol="tiled", resolution=(512, 512))
    run(tmp_path, "gdc", 20, 4.0)
    run(tmp_path, "copy-reference", 21, 0.001, kind="bound")
    text, root = figure_of(tmp_path, pixels=(2160, 3840), remark="quick")
    assert root is not None and "seconds a 3840×2160 picture" in text and "; quick" in text
    circles = [c for c in root.iter(f"{SVG}circle") if "heart" not in c.get("class", "")]
    radius = {float(c.get("r")) for c in circles if float(c.get("cx")) > 0}
    largest = max(radius)
    assert round(largest / 2, 2) in radius  # a quarter of the parameters, half the radius
    for kind, title in (("whole", "IPL"), ("small", "SCTNET"), ("tiles", "AHDRNET")):
        assert any(told.startswith(title) for told in dots(root, kind))
    assert sum("diamond" in p.get("class", "") for p in root.iter(f"{SVG}path")) == 2 + 1
    assert "30 pictures a second" in text
    names = [t.text for t in root.iter(f"{SVG}text") if t.get("class") == "name"]
    assert sorted(names) == ["AHDRNET", "COPY-REFERENCE", "GDC", "IPL", "SCTNET"]
    assert figure_of(tmp_path, pixels=(2160, 3840), remark="quick")[0] == text


def test_what_can_not_be_drawn_is_left_out_and_foreign_words_are_text(tmp_path):
    write_run(tmp_path, "gdc", (math.inf,) * 5)
    assert figure_of(tmp_path) == ("", None)
    evil = '</text><script>alert(1)</script>"'
    write_run(tmp_path, "mertens", PSNRS, method={"title": evil})
    text, root = figure_of(tmp_path)
    assert root is not None and "<script" not in text and not list(root.iter(f"{SVG}script"))
    assert not re.search(r"(href|url\(|@import)", text)


@pytest.mark.parametrize("seed", range(8))
def test_labels_stay_in_the_frame_and_off_each_other(seed):
    generator = np.random.default_rng(seed)
    places = generator.uniform((0, 0, 4), (800, 400, 25), (14, 3))
    if seed % 2:
        places[:8, :2] = places[0, :2] + generator.uniform(-15, 15, (8, 2))  # a cluster
    frame = (-40.0, -40.0, 840.0, 440.0)
    bubbles = [Bubble(x, y, radius, "SomeMethod") for x, y, radius in places]
    width = text_width("SomeMethod", 13)
    boxes = []
    for label in place_labels(bubbles, frame, 13):
        left = label.x - {"start": 0, "middle": width / 2, "end": width}[label.anchor]
        box = (left, label.y - 10, left + width, label.y + 3)
        assert frame[0] - 0.1 <= box[0] and box[2] <= frame[2] + 0.1
        assert frame[1] <= box[1] and box[3] <= frame[3]
        boxes.append(box)
    for place, one in enumerate(boxes):
        for other in boxes[:place]:
            apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1]
            assert apart or other[3] <= one[1]
