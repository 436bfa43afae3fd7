import csv
import io
import json
import math
import re

import pytest
from run_folders import DATASET, MACHINE, METRICS, PSNRS, write_run

from leaderboard import (
    as_csv,
    as_data,
    as_markdown,
    build_leaderboard,
    group_runs,
    load_runs,
    wording,
)
from leaderboard.records import CostRecord
from leaderboard.roster import ROSTER
from leaderboard.statistics import Estimate

EVIL = '=cmd()|<b>"x"</b> [a](javascript:1) `c`\n| new | row | \u202e @x #1 https://x.org'


def boards_of(folder):
    return [build_leaderboard(group) for group in group_runs(load_runs(folder))]


def test_csv_round_trip_at_full_precision(tmp_path):
    psnrs = (30.123456789012345, 31.0, 33.5, 29.25, 1 / 3)
    write_run(tmp_path, "gdc", psnrs, cost=CostRecord(macs=10**12, macs_size=(256, 512)))
    write_run(tmp_path, "copy-reference", (math.inf,) * 5, kind="bound")
    boards = boards_of(tmp_path)
    rows = {row["method"]: row for row in csv.DictReader(io.StringIO(as_csv(boards)))}
    estimate = next(row for row in boards[0].rows if row.name == "gdc").quality["psnr"]
    gdc = rows["gdc"]
    assert float(gdc["psnr"]) == estimate.mean
    assert (float(gdc["psnr_low"]), float(gdc["psnr_high"])) == (estimate.low, estimate.high)
    assert (gdc["macs"], gdc["macs_height"], gdc["macs_width"]) == ("1000000000000", "256", "512")
    assert float(rows["copy-reference"]["psnr"]) == math.inf
    assert rows["copy-reference"]["psnr_low"] == ""
    assert rows["ipl"]["status"] == "not measured"
    assert float(rows["ipl"]["published_psnr"]) == 33.29
    assert "never published" in rows["ipl"]["published_not_comparable"]


def test_csv_disarms_formulas_but_not_negative_figures(tmp_path):
    for number, title in enumerate(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "plain"]):
        write_run(tmp_path, f"m{number}", [p - number for p in PSNRS], method={"title": title})
    rows = list(csv.DictReader(io.StringIO(as_csv(boards_of(tmp_path)))))
    titles = [row["title"] for row in rows if row["method"].startswith("m") and row["rank"]]
    assert titles == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'=1", "plain"]
    last = next(row for row in rows if row["method"] == "m5")
    assert float(last["psnr_difference"]) == pytest.approx(-5)


def test_csv_holds_all_boards(tmp_path):
    write_run(tmp_path, "gdc")
    write_run(tmp_path, "gdc", dataset=DATASET.model_copy(update={"digest": "ab" * 32}))
    rows = list(csv.DictReader(io.StringIO(as_csv(boards_of(tmp_path)))))
    assert len({row["dataset_digest"] for row in rows}) == 2
    assert len(rows) == 2 * len(ROSTER)


def test_json_is_strict(tmp_path):
    write_run(tmp_path, "gdc", (math.inf,) * 5)
    data = json.loads(json.dumps(as_data(boards_of(tmp_path)), allow_nan=False))
    row = next(row for row in data[0]["rows"] if row["method"] == "gdc")
    assert row["psnr"] == "inf"
    assert data[0]["baseline"] == "GDC, native"


def cells_of(line):
    return re.split(r"(?<!\\)\|", line)[1:-1]


def test_markdown_tables_stay_whole_whatever_the_records_say(tmp_path):
    write_run(
        tmp_path, "gdc", method={"title": EVIL, "paper": EVIL, "licence": EVIL},
        machine=MACHINE.model_copy(update={"processor": EVIL}),
        metrics=METRICS.model_copy(update={"psnr": EVIL}),
    )  # fmt: skip
    write_run(
        tmp_path,
        "mertens",
        (*PSNRS[:4], None),
        machine=MACHINE.model_copy(update={"processor": EVIL}),
        metrics=METRICS.model_copy(update={"psnr": EVIL}),
    )
    text = as_markdown(boards_of(tmp_path), title=EVIL)
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        assert len({len(cells_of(line)) for line in table.splitlines()}) == 1
    assert "<b>" not in text
    assert "\u202e" not in text
    assert not re.search(r"(?<!\\)\[a(?<!\\)\]\(", text)
    assert "https://x" not in text
    assert not re.search(r"@x|#1", text)
    assert "1 of 5 scenes failed: the method returned NaN" in text


def test_markdown_says_what_was_measured_and_how(tmp_path):
    write_run(tmp_path, "gdc")
    write_run(tmp_path, "ahdrnet", [p + 1 for p in PSNRS], machine=MACHINE.model_copy(
        update={"device": "cuda:0"}))  # fmt: skip
    text = as_markdown(boards_of(tmp_path))
    gdc, ahdrnet = (
        next(cells_of(line) for line in text.splitlines() if f"| {title} |" in line)
        for title in ("GDC", "AHDRNET")
    )
    assert gdc[3].strip() == "31.15 ± 2.08"
    assert ahdrnet[3].strip() == "**32.15 ± 2.08**"
    assert "(M2)" in gdc[6]
    assert "16.84 / 0.6340 / 0.3584 / 221.00" in gdc[-1]
    marks = re.search(r"<sup>(.*?)</sup>", gdc[-1]).group(1).split()
    assert all(f"- <sup>{mark}</sup> " in text for mark in marks)
    assert "−1.00 [−1.00, −1.00]" in text
    assert METRICS.ssim in text
    assert "Protocol `native`" in text
    assert "Protocol `tiled`" not in text


def test_markdown_says_how_long_weights_were_trained(tmp_path):
    for name, told in (("ahdrnet", "150 steps"), ("fshdr", "150 steps"), ("ipl", "2,000 steps")):
        write_run(tmp_path, name, kind="learned", method={"weights_training": told})
    write_run(tmp_path, "gdc")
    lines = as_markdown(boards_of(tmp_path)).splitlines()
    assert "- Weights: AHDRNET, FSHDR: 150 steps; IPL: 2,000 steps" in lines


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (wording.estimate(Estimate(33.294, 0.416, 30), 2), "33.29 ± 0.42"),
        (wording.estimate(Estimate(math.inf, None, 30), 2), "∞"),
        (wording.estimate(None, 2), "n/a"),
        (wording.difference(Estimate(-1.0, 0.5, 30), 2), "−1.00 [−1.50, −0.50]"),
        (wording.difference(Estimate(0.5, None, 2), 2), "+0.50 [n/a]"),
        (wording.seconds(0.0441), "0.0441 s"),
        (wording.seconds(221.4), "221 s"),
        (wording.amount(162_772_500_000), "162.8 G"),
        (wording.memory(3 * 2**29), "1.5 GiB"),
        (wording.size((2160, 3840)), "3840×2160"),
        (wording.printable("a\x1b[31m\r\nb\u200b  c"), "a [31m b c"),
        (wording.printable("x" * 500, 10), "xxxxxxxxx…"),
        (wording.printable("caf\udce9"), "caf"),
    ],
)
def test_wording(shown, expected):
    assert shown == expected
