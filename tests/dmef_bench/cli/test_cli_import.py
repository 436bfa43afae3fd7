import json

import pytest
from bracketed_media import write_kalantari, write_mobile_hdr, write_scene


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_kalantari_becomes_a_dataset_that_verifies_and_runs(dmef_bench, here):
    write_kalantari(here / "raw", train=1, test=1)
    ended = dmef_bench("import", "kalantari", "raw", "-q")
    assert ended.code == 0
    assert ended.out.startswith("kalantari: 1 train + 1 test scenes, digest ")
    assert "note: 1 train and 1 test scenes are here; 74 train and 15 test" in ended.err
    assert dmef_bench("verify", "kalantari", "-q").code == 0
    ended = dmef_bench("run", "--data", "kalantari", "--method", "copy-reference", "-q")
    assert ended.code == 0
    assert "PSNR-l" in ended.out
    assert "PU21-PSNR" in ended.out
    ended = dmef_bench("leaderboard", "results")
    assert "PSNR-μ" in ended.out


def test_mobile_hdr_says_what_it_left_out_as_json(dmef_bench, here):
    write_mobile_hdr(here / "raw")
    ended = dmef_bench("import", "mobile-hdr", "raw", "-o", "out", "-q", "--format", "json")
    assert ended.code == 0
    told = json.loads(ended.out)
    assert told["scenes"] == {"train": 2, "test": 1}
    assert len(told["digest"]) == 64
    assert len(told["notes"]) == 2


def test_broken_scenes_are_all_named(dmef_bench, here):
    raw = write_kalantari(here / "raw", train=2, test=2)
    (raw / "Training/001/exposure.txt").unlink()
    (raw / "Test/PAPER/Scene2/HDRImg.hdr").write_bytes(b"")
    ended = dmef_bench("import", "kalantari", "raw", "-q")
    assert ended.code == 1
    assert "2 scenes are broken" in ended.err
    assert "Training/001" in ended.err
    assert "exposure.txt: missing" in ended.err
    assert "Test/PAPER/Scene2" in ended.err
    assert "Traceback" not in ended.err
    ended = dmef_bench("import", "kalantari", "raw", "-q", "--skip-broken")
    assert ended.code == 1
    assert "1 train + 1 test" in ended.out
    assert dmef_bench("verify", "kalantari", "-q").code == 0


def test_other_folders_take_a_pattern_and_evs(dmef_bench, here):
    write_scene(here / "raw/one", truth="truth.hdr")
    ended = dmef_bench(
        "import", "folders", "raw", "--pattern", "*A.tif", "--truth", "truth.hdr",
        "--ev=-2,0,2", "-o", "mine", "-q", "--format", "json",
    )  # fmt: skip
    assert ended.code == 0
    assert json.loads(ended.out)["scenes"] == {"test": 1}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("kalantari", "nowhere"), 2, "there is no such folder"),
        (("kalantari", "."), 2, "holds no scene"),
        (("folders", ".", "--pattern", "*.tif", "--ev", "1,2"), 2, "--ev takes three numbers"),
        (("folders", "."), 2, "--pattern"),
        (("elsewhere", "."), 2, "elsewhere"),
    ],
)
def test_mistakes_end_with_one_sentence(dmef_bench, here, arguments, code, words):
    ended = dmef_bench("import", *arguments)
    assert ended.code == code
    assert words in ended.err
    assert "Traceback" not in ended.err
