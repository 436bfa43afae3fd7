import math

import pytest
from run_folders import DATASET, DIGEST, MACHINE, METRICS, PSNRS, write_run

from leaderboard import (
    LeaderboardError,
    MixedRunsError,
    build_leaderboard,
    group_runs,
    load_runs,
)
from leaderboard.records import CostRecord, Spread
from leaderboard.roster import ROSTER


def shifted(by):
    return tuple(psnr + by for psnr in PSNRS)


def board_of(folder, **options):
    return build_leaderboard(load_runs(folder), **options)


def by_name(board):
    return {row.name: row for row in board.rows}


def test_every_table_has_the_roster(tmp_path):
    write_run(tmp_path, "gdc")
    rows = by_name(board_of(tmp_path))
    assert set(rows) == {entry.name for entry in ROSTER}
    assert rows["gdc"].status == "complete"
    assert rows["ipl"].status == "not measured"
    assert rows["ipl"].published.psnr == 33.29
    assert rows["copy-reference"].published is None


def test_ranks_go_by_psnr_and_leave_bounds_out(tmp_path):
    write_run(tmp_path, "gdc", shifted(1))
    write_run(tmp_path, "mertens", shifted(2))
    write_run(tmp_path, "invert-response", shifted(9), kind="bound")
    board = board_of(tmp_path)
    assert [(row.name, row.rank) for row in board.methods[:2]] == [("mertens", 1), ("gdc", 2)]
    assert board.bounds[0].name == "invert-response"
    assert board.bounds[0].rank is None
    assert board.base.name == "mertens"


def test_protocols_of_a_method_are_rows_of_their_own(tmp_path):
    write_run(tmp_path, "ahdrnet", protocol="paper", resolution=(256, 256))
    write_run(tmp_path, "ahdrnet", shifted(3), protocol="tiled", resolution=(512, 768))
    rows = [row for row in board_of(tmp_path).measured if row.name == "ahdrnet"]
    assert [row.protocol for row in rows] == ["tiled 768×512", "paper 256×256"]
    assert "fed-otherwise" in rows[0].notes["psnr"]
    assert "fed-otherwise" not in rows[1].notes["psnr"]
    assert "fed-otherwise" not in rows[0].notes["macs"]


def test_several_weights_of_a_method_are_told_apart(tmp_path):
    write_run(tmp_path, "ipl", shifted(1), weights="ab" * 32)
    write_run(tmp_path, "ipl", weights="cd" * 32)
    write_run(tmp_path, "ahdrnet", shifted(-1), weights="ef" * 32)
    assert [row.protocol for row in board_of(tmp_path).measured] == [
        "native, weights abababab", "native, weights cdcdcdcd", "native",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("psnrs", "outcome", "status", "why"),
    [
        (PSNRS[:3], "running", "incomplete", "has not ended"),
        (PSNRS[:3], "complete", "incomplete", "no figure for 2 of"),
        ((*PSNRS[:4], None), "failed", "failed", "1 of 5 scenes failed: the method returned NaN"),
        ((), "failed", "failed", "without a line"),
        ((), "out-of-memory", "out of memory", "does not hold"),
    ],
)
def test_what_is_not_complete_has_no_rank(tmp_path, psnrs, outcome, status, why):
    write_run(tmp_path, "mertens")
    write_run(tmp_path, "gdc", psnrs, outcome=outcome)
    board = board_of(tmp_path)
    row = by_name(board)["gdc"]
    assert (row.status, row.rank) == (status, None)
    assert why in row.why
    assert row.succeeded + row.failed + row.missing == 5
    assert [one.name for one in board.methods[:2]] == ["mertens", "gdc"]


def test_means_intervals_and_differences(tmp_path):
    write_run(tmp_path, "mertens", shifted(2))
    write_run(tmp_path, "gdc", PSNRS[:4])
    board = board_of(tmp_path)
    assert by_name(board)["mertens"].quality["psnr"].mean == pytest.approx(33.15)
    (difference,) = board.differences
    found = difference.by_metric["psnr"]
    assert (difference.row.name, found.count) == ("gdc", 4)
    assert (found.mean, found.half_width) == pytest.approx((-2.0, 0.0))


def test_identical_pictures(tmp_path):
    write_run(tmp_path, "copy-reference", (math.inf,) * 5, kind="bound")
    write_run(tmp_path, "gdc")
    board = board_of(tmp_path)
    assert board.bounds[0].quality["psnr"].mean == math.inf
    assert board.differences[0].by_metric["psnr"].mean == math.inf


def test_baseline_by_name_and_protocol(tmp_path):
    write_run(tmp_path, "mertens", shifted(2))
    write_run(tmp_path, "gdc", shifted(1))
    write_run(tmp_path, "gdc", protocol="tiled", resolution=(8, 8))
    assert board_of(tmp_path, baseline="gdc").base.protocol == "native"
    assert board_of(tmp_path, baseline="gdc/tiled").base.protocol == "tiled 8×8"
    with pytest.raises(LeaderboardError, match=r"ipl: no measured method .* mertens, gdc"):
        board_of(tmp_path, baseline="ipl")


def test_times_come_from_the_record_or_else_from_its_samples(tmp_path):
    spread = Spread(median=9.0, lower_quartile=8.0, upper_quartile=10.0, count=7)
    write_run(tmp_path, "gdc", cost=CostRecord(inference_seconds=spread))
    row = by_name(board_of(tmp_path))["gdc"]
    assert row.inference == spread
    assert row.total.median == pytest.approx(0.78)
    assert row.total.count == 5


def test_machines_are_numbered(tmp_path):
    other = MACHINE.model_copy(update={"device": "cuda:0"})
    write_run(tmp_path, "gdc")
    write_run(tmp_path, "mertens", machine=other)
    board = board_of(tmp_path)
    assert board.machines == (MACHINE, other)
    assert by_name(board)["gdc"].machine == 1
    assert by_name(board)["mertens"].machine == 2
    assert by_name(board)["ipl"].machine is None


DIFFERENT = [
    ({"dataset": DATASET.model_copy(update={"digest": "ab" * 32})}, "digest"),
    ({"dataset": DATASET.model_copy(update={"split": "train"})}, "split"),
    ({"dataset": DATASET.model_copy(update={"track": "camera"})}, "track"),
    ({"metrics": METRICS.model_copy(update={"psnr": "of luma"})}, "psnr"),
    ({"metrics": METRICS.model_copy(update={"ssim": "box window 7"})}, "ssim"),
    ({"metrics": METRICS.model_copy(update={"lpips": "VGG"})}, "lpips"),
]


@pytest.mark.parametrize(("changes", "what"), DIFFERENT)
def test_runs_that_differ_are_never_mixed(tmp_path, changes, what):
    write_run(tmp_path, "gdc")
    write_run(tmp_path, "mertens", **changes)
    runs = load_runs(tmp_path)
    with pytest.raises(MixedRunsError, match=f"differ in {what} "):
        build_leaderboard(runs)
    groups = group_runs(runs)
    assert sorted(len(group) for group in groups) == [1, 1]
    for group in groups:
        build_leaderboard(group)


def test_a_run_without_lpips_joins_the_others(tmp_path):
    write_run(tmp_path, "gdc", metrics=METRICS.model_copy(update={"lpips": None}))
    write_run(tmp_path, "mertens")
    (group,) = group_runs(load_runs(tmp_path))
    assert build_leaderboard(group).metrics.lpips == METRICS.lpips
    write_run(tmp_path, "ipl", metrics=METRICS.model_copy(update={"lpips": "VGG"}))
    assert [len(group) for group in group_runs(load_runs(tmp_path))] == [1, 1, 1]


def test_no_runs_no_table():
    with pytest.raises(LeaderboardError, match="at least one run"):
        build_leaderboard([])


def test_the_paper_table_follows_the_dataset(tmp_path):
    write_run(tmp_path, "gdc", dataset=DATASET.model_copy(update={"name": "Kalantari"}))
    board = board_of(tmp_path)
    assert board.published.number == 2
    assert by_name(board)["gdc"].published.psnr == 27.87
    assert by_name(board)["bracketire"].published is None
    assert board.dataset.digest == DIGEST
