import json
import subprocess
import sys

import pytest
from bracketed_media import write_kalantari, write_mobile_hdr
from tiny_networks import tiny_network, write_weights

from baselines.sctnet.method import SCTNetMethod
from dmef_bench.reproduce import TABLES
from leaderboard.published import TABLE_2, TABLE_3


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("table2", ("SIG17HDR", "exposure.txt", "HDRImg.hdr", "dmef-bench import kalantari DIR")),
        ("table3", ("Joint-HDRDN", "training_npz", "dmef-bench import mobile-hdr DIR")),
    ],
)
def test_without_the_data_it_says_how_to_get_it(dmef_bench, here, table, words):
    ended = dmef_bench("reproduce", table)
    assert ended.code == 3
    assert "Traceback" not in ended.err
    for word in (*words, f"dmef-bench reproduce {table}"):
        assert word in ended.err


def test_table_2_from_the_folder_as_distributed(dmef_bench, here, monkeypatch):
    monkeypatch.setattr(SCTNetMethod, "weights_folder", here / "no-weights")
    write_kalantari(here / "raw", train=1, test=2)
    weights = write_weights(here / "w.safetensors", tiny_network("ahdrnet"))
    ended = dmef_bench(
        "reproduce", "table2", "--data", "raw", "-q", "--format", "json",
        "--weights", f"ahdrnet={weights}",
    )  # fmt: skip
    assert ended.code == 0
    told = json.loads(ended.out)
    rows = {row["method"]: row for row in told["rows"]}
    assert list(rows) == [row.method for row in TABLE_2.rows]
    for printed in TABLE_2.rows:
        row = rows[printed.method]
        assert row["printed"] == {"PSNR": printed.psnr, "SSIM": printed.ssim}
        assert row["reasons"]
    measured = {name for name, row in rows.items() if row["status"] == "measured"}
    assert measured == {"gdc", "ahdrnet", "fshdr", "hdr-transformer", "ipl"}
    assert rows["ipl"]["measured"]["PSNR-l"] > 5
    assert "not on Kalantari" in rows["ipl"]["reasons"][0]
    assert "the file given" in rows["ahdrnet"]["reasons"][0]
    assert "those shipped" in rows["fshdr"]["reasons"][0]
    assert rows["sctnet"]["measured"]["PSNR-l"] is None
    assert "--weights sctnet=FILE" in rows["sctnet"]["reasons"][0]
    assert "2 test scenes are here; the paper has 15." in told["notes"]

    # The runs are runs as any other, and a second call takes them up.
    (record,) = (here / "results").glob("gdc@none/*/captured-native/run.json")
    before = record.read_bytes()
    ended = dmef_bench("reproduce", "table2", "-q", "--weights", f"ahdrnet={weights}")
    assert ended.code == 0
    assert record.read_bytes() == before
    assert "printed PSNR" in ended.out
    assert f"{TABLE_2.rows[0].psnr:.2f}" in ended.out


def test_table_3_measures_the_first_scenes(dmef_bench, here):
    write_mobile_hdr(here / "raw")
    ended = dmef_bench("reproduce", "table3", "--data", "raw", "-q", "--limit", "1")
    assert ended.code == 0
    assert f"{TABLE_3.rows[0].psnr:.2f}" in ended.out
    assert "raw planes" in ended.out


def test_another_dataset_is_not_taken_for_it(dmef_bench, here, dataset_folder):
    write_mobile_hdr(here / "raw")
    assert dmef_bench("import", "mobile-hdr", "raw", "-q").code == 0
    for data in ("mobile-hdr", dataset_folder):
        ended = dmef_bench("reproduce", "table2", "--data", data, "-q")
        assert ended.code == 2
        assert "Kalantari" in ended.err


def test_a_failing_method_is_named_and_the_others_measured(dmef_bench, here):
    write_kalantari(here / "raw", train=1, test=1)
    (here / "bad.pth").write_bytes(b"no weights")
    ended = dmef_bench(
        "reproduce", "table2", "--data", "raw", "-q", "--weights", "sctnet=bad.pth"
    )  # fmt: skip
    assert ended.code == 1
    assert "sctnet: " in ended.err
    assert "bad.pth" in ended.err
    assert "Traceback" not in ended.err
    assert "GDC" in ended.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("table9",), "table9"),
        (("table2", "--weights", "ahdrnet"), "METHOD=FILE"),
        (("table2", "--weights", "ahdrnet=none.pth"), "no such file"),
        (("table2", "--device", "abacus"), "abacus"),
    ],
)
def test_mistakes_end_with_exit_code_2(dmef_bench, here, arguments, words):
    ended = dmef_bench("reproduce", *arguments)
    assert ended.code == 2
    assert words in ended.err


def test_the_registry_is_light_and_every_table_has_its_module():
    code = (
        "import sys; from dmef_bench.reproduce import TABLES; "
        "assert not {'torch', 'cv2'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    for module in TABLES.values():
        __import__(module)
        assert callable(sys.modules[module].reproduce)
