"""Tables 4, 5 and 7, on tiny networks, pictures and budgets."""

import json
import signal

import pytest
import torch
from own_process import run_python

from dmef_bench.dataset import Dataset
from dmef_bench.ipl import IPL, IPLConfig, load_coders
from dmef_bench.ipl.weights_file import network_metadata
from dmef_bench.reproduce.ablation import ABLATIONS
from dmef_bench.reproduce.ledger import LINES_FILE, SETTINGS_FILE
from dmef_bench.training.tensor_file import tensor_file
from leaderboard.published import TABLE_4, TABLE_5, TABLE_7

TINY = ("channels=4", "blocks=1", "channel_block=2", "drtm_size=4", "width_block=4")
SET = [word for pair in TINY for word in ("--set", pair)]
TRAIN = ("--steps", 2, "--batch", 1, "--crop", 32, "--workers", 1, *SET)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    return tmp_path


@pytest.fixture
def table4(dmef_bench, here, dataset_folder):
    def call(*more):
        arguments = ("--data", dataset_folder, "--size", "64x48", *TRAIN, "-q", "--format", "json")
        return dmef_bench("reproduce", "table4", *arguments, *more)

    return call


def small_weights(path):
    """A network with the shipped one's blocks, so that the shipped coders fit, but less else."""
    torch.manual_seed(0)
    network = IPL(IPLConfig(drtm_size=4))
    path.write_bytes(tensor_file(network.state_dict(), network_metadata(network)))
    return path


def test_table_4_trains_measures_and_keeps_what_is_finished(table4, dmef_bench, here, monkeypatch):
    ended = table4()
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    copy, *rows = told["rows"]
    assert copy["method"] == "copy-reference" and copy["measured"]["PSNR"] > 5
    assert [row["method"] for row in rows] == [ablation.name for ablation in ABLATIONS]
    assert {row["label"][:3] for row in rows} == {row.label[:3] for row in TABLE_4.rows}
    for ablation, row in zip(ABLATIONS, rows, strict=True):
        assert row["status"] == "measured"
        assert row["printed"]["PSNR"] == ablation.printed.psnr
        assert row["measured"]["PSNR"] > 5 and 0 < row["measured"]["SSIM"] <= 1
        weights = here / "results/table4/trained" / ablation.name / "weights.safetensors"
        assert weights.is_file()
    assert any("2 steps of 1 crops" in note and "not converged" in note for note in told["notes"])
    assert "features pass" in rows[0]["label"] and "product alone" in rows[1]["label"]
    assert rows[0]["measured"]["PSNR"] != rows[1]["measured"]["PSNR"]

    written = json.loads((here / "results/table4/table4.json").read_text())
    assert written["rows"] == told["rows"]
    assert written["command"].startswith("dmef-bench reproduce table4")
    assert written["machine"]["processor"] and written["software"]["torch"]
    assert written["settings"]["steps"] == "2"
    page = (here / "results/table4/table4.md").read_text()
    assert "| *printed PSNR* |" in page and "*34.78*" in page

    monkeypatch.setattr("dmef_bench.reproduce.table4.train_here", None)
    monkeypatch.setattr("dmef_bench.reproduce.table4.run_method", None)
    again = table4()
    assert json.loads(again.out)["rows"] == told["rows"]

    other = table4("--seed", 1)
    assert other.code == 2
    assert "seed was '0', is now '1'" in other.err and "--overwrite" in other.err


def test_table_4_goes_on_after_kill_9(here, dataset_folder):
    """Killed while the third row trains: two rows are kept, and the rest is done."""
    words = ["reproduce", "table4", "--data", dataset_folder, "--size", "32x32", *TRAIN, "-q"]
    words += ["--format", "json"]
    few = (
        "import torch; torch.set_num_threads(1)\n"
        "from dmef_bench.reproduce import table4; table4.ABLATIONS = table4.ABLATIONS[:3]\n"
    )
    code = (
        f"{few}import os, signal; real = table4.train_here\n"
        "def train(recipe, source, request, folder, more):\n"
        "    if folder.name == 'b-c': os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return real(recipe, source, request, folder, more)\n"
        "table4.train_here = train\n"
        "from dmef_bench.cli import main; main()"
    )
    killed = run_python(code, *words)
    assert killed.code == -signal.SIGKILL, killed.err
    lines = here / "results/table4" / LINES_FILE
    before = lines.read_text()
    names = [json.loads(line)["name"] for line in before.splitlines()]
    assert names == ["copy-reference", "a-features-pass", "a-product-alone"]
    lines.write_text(before + '{"name": "b-')  # half a line, as a kill may leave it
    ended = run_python(f"{few}from dmef_bench.cli import main; main()", *words)
    assert ended.code == 0, ended.err
    assert lines.read_text().startswith(before)
    assert len(json.loads(ended.out)["rows"]) == 1 + 3


def test_table_5_measures_three_states_of_each_mode(dmef_bench, here):
    weights = small_weights(here / "ipl.safetensors")
    words = ("reproduce", "table5", "--weights", f"ipl={weights}", "--size", "64x48")
    words += ("--limit", 2, "-q", "--format", "json")
    ended = dmef_bench(*words)
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    rows = {row["method"]: row for row in told["rows"]}
    off, on = TABLE_5.rows
    assert rows["off-plain-cold"]["printed"] == {
        "PSNR": off.psnr, "SSIM": off.ssim, "s": off.seconds
    }  # fmt: skip
    for mode in ("exact", "approximate", "position"):
        cold, same, following = (rows[f"{mode}-{state}"] for state in ("cold", "same", "next"))
        assert cold["printed"] == {"PSNR": on.psnr, "SSIM": on.ssim, "s": on.seconds}
        assert cold["measured"]["hits %"] == 0 and same["measured"]["hits %"] == 100
        assert same["measured"]["PSNR"] == cold["measured"]["PSNR"]
        assert same["measured"]["s"] > 0 and same["measured"]["speed-up"] > 0
        assert following["measured"]["MB held"] > 0
    assert rows["exact-next"]["measured"]["hits %"] < 100
    assert rows["position-next"]["measured"]["hits %"] == 100
    assert abs(rows["off-fast-cold"]["measured"]["PSNR"]
               - rows["off-plain-cold"]["measured"]["PSNR"]) < 0.01  # fmt: skip

    again = json.loads(dmef_bench(*words).out)
    assert again["rows"] == told["rows"]
    lines = here / "results/table5" / LINES_FILE
    assert len(lines.read_text().splitlines()) == 2 * 5
    small = dmef_bench(*words, "--cache-memory", "20kB", "-o", "small")
    rows = {row["method"]: row for row in json.loads(small.out)["rows"]}
    assert rows["exact-same"]["measured"]["hits %"] < 100
    assert any("--cache-memory" in why for why in rows["exact-same"]["reasons"])
    other = dmef_bench(*words, "--tolerance", 0.1)
    assert other.code == 2 and "tolerance was '0.05', is now '0.1'" in other.err
    assert dmef_bench(*words, "--tolerance", 0.1, "--overwrite").code == 0


def test_a_quick_table_has_a_folder_of_its_own(dmef_bench, here):
    weights = small_weights(here / "ipl.safetensors")
    words = ("reproduce", "table7", "--weights", f"ipl={weights}", "--size", "32x32", "-q")
    ended = dmef_bench(*words, "--quick", "--no-times")
    assert ended.code == 0, ended.err
    assert "not to be quoted" in ended.out and "table7-quick.md" in ended.out
    folder = here / "results/table7-quick"
    assert json.loads((folder / "table7-quick.json").read_text())["quick"] is True
    assert not (here / "results/table7").exists()


def test_table_1_on_the_command_line(dmef_bench, here):
    words = ("reproduce", "table1", "--method", "invert-response", "--size", "64x48", "-q")
    words += ("--limit", 1, "--track", "paper", "--protocol", "paper", "--protocol", "tiled")
    ended = dmef_bench(*words)
    assert ended.code == 0, ended.err
    assert "Track paper, protocol tiled" in ended.out and "figure1.svg" in ended.out
    for other, said in (
        (("table4", "--tile", 64), "--tile belongs to table1"),
        (("table2", "--protocol", "paper", "--protocol", "tiled"), "table2 takes one"),
        (("table1", "--set", "a=b"), "--set belongs to table4, table6"),
    ):
        refused = dmef_bench("reproduce", *other)
        assert refused.code == 2 and said in refused.err


def test_table_5_on_a_dataset_without_times(dmef_bench, here, dataset_folder, monkeypatch):
    words = ("reproduce", "table5", "--data", dataset_folder, "--no-times", "-q")
    refused = dmef_bench(*words)
    assert refused.code == 2 and "at least two test scenes" in refused.err
    # The small dataset has one test scene; its three for training stand in for more.
    scenes = Dataset.scenes
    monkeypatch.setattr(Dataset, "scenes", lambda self, split, track=None: scenes(self, "train"))
    weights = small_weights(here / "ipl.safetensors")
    ended = dmef_bench(*words, "--size", "48x48", "--weights", f"ipl={weights}", "--format", "json")
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert "centre 48×48" in told["dataset"]
    assert all(row["measured"]["s"] is None for row in told["rows"])
    assert all("The time was not measured." in row["reasons"] for row in told["rows"])
    assert any("the next scene of the split" in note for note in told["notes"])


def test_table_7_compares_the_kinds_of_compression(dmef_bench, here):
    weights = small_weights(here / "ipl.safetensors")
    words = ("reproduce", "table7", "--size", "64x48", "--limit", 1, "-q", "--format", "json")
    ended = dmef_bench(*words, "--weights", f"ipl={weights}")
    assert ended.code == 0, ended.err
    rows = {row["method"]: row for row in json.loads(ended.out)["rows"]}
    printed = {row["printed"]["s"] for row in rows.values()} - {None}
    assert printed == {row.seconds for row in TABLE_7.rows}
    held = {kind: rows[f"{kind}-cold"]["measured"]["MB held"] for kind in ("none", "quantised")}
    assert held["quantised"] < held["none"] / 2
    assert "mode is position" in ended.out
    assert any("one convolution there" in why for why in rows["cnn-width-same"]["reasons"])

    torch.manual_seed(0)
    other = IPL(IPLConfig(channels=8, blocks=1, channel_block=4, drtm_size=4))
    weights.write_bytes(tensor_file(other.state_dict(), network_metadata(other)))
    with pytest.raises(ValueError, match="another network"):
        load_coders("cnn-width").check({(0, "C"): 4})
    refused = dmef_bench(*words, "--weights", f"ipl={weights}", "--overwrite")
    assert refused.code == 2 and "another network" in refused.err


def test_damaged_and_foreign_ledgers_are_refused(dmef_bench, here):
    weights = small_weights(here / "ipl.safetensors")
    words = ("reproduce", "table7", "--weights", f"ipl={weights}", "--size", "32x32", "--limit", 1)
    folder = here / "results/table7"
    folder.mkdir(parents=True)
    (folder / LINES_FILE).write_text('{"name": "none/0"}\n')
    ended = dmef_bench(*words, "-q")
    assert ended.code == 2 and SETTINGS_FILE in ended.err
    (folder / SETTINGS_FILE).write_text("{}")
    assert dmef_bench(*words, "-q").code == 4
    assert dmef_bench(*words, "-q", "--overwrite").code == 0
    (folder / LINES_FILE).write_text("no line\n")
    ended = dmef_bench(*words, "-q")
    assert ended.code == 4 and "line 1 is damaged" in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("table5", "--steps", "3"), "--steps belongs to table1"),
        (("table4", "--mode", "exact"), "--mode belongs to table7"),
        (("table2", "--size", "64x64"), "--size belongs to"),
        (("table4", "--set", "dimensions=C"), "row by row"),
        (("table4", "--set", "channels=7"), "--set: IPLConfig"),
        (("table4", "--set", "channels"), "KEY=VALUE"),
        (("table5", "--weights", "gdc=pyproject.toml"), "ipl alone"),
        (("table5", "--size", "8x8"), "both sides are"),
        (("table7", "--cache-memory", "much"), "--cache-memory"),
        (("table4",), "no such folder"),
    ],
)
def test_mistakes_with_the_tables_of_ipl_end_with_exit_code_2(dmef_bench, here, arguments, words):
    (here / "pyproject.toml").write_text("")
    ended = dmef_bench("reproduce", *arguments)
    assert ended.code == 2
    assert words in ended.err and "Traceback" not in ended.err


def test_a_training_that_diverges_is_a_row_that_failed(table4, monkeypatch):
    monkeypatch.setattr("dmef_bench.reproduce.table4.ABLATIONS", ABLATIONS[:1])
    ended = table4("--learning-rate", "1e30")
    assert ended.code == 1
    assert "diverged" in ended.err
