import json

import pytest
from dataset_folders import write_clips
from safetensors import safe_open

BUILD = ("--min-height", "100", "--workers", "1", "-q")


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return write_clips(tmp_path_factory.mktemp("clips") / "two", 2)


def test_a_dataset_of_both_tracks_is_built_extended_and_run(dmef_bench, clips, tmp_path):
    options = ("--track", "both", "--noise", "0.001,0.01", "--jpeg", "60,90", "--ev-jitter", "0.2")
    data = tmp_path / "data"
    for limit in ("1", "2"):
        built = dmef_bench("build-dataset", clips, "-o", data, *BUILD, *options, "--limit", limit)
        assert built.code == 0, built.err
    settings = json.loads((data / "dataset.json").read_text())["settings"]
    assert settings["camera_noise"] == "0.001 to 0.01"
    assert settings["camera_jpeg"] == "60 to 90"
    assert settings["camera_ev_jitter"] == "0.2"
    assert dmef_bench("verify", data, "-q").code == 0
    for track, folder in (((), "paper-native"), (("--track", "camera"), "camera-native")):
        ended = dmef_bench(
            "run", "--data", data, "--split", "train", "-o", tmp_path / "results", "--no-lpips",
            "-q", "--method", "copy-reference", "--protocol", "native", "--format", "json", *track,
        )  # fmt: skip
        assert ended.code == 0, ended.err
        (run,) = json.loads(ended.out)["runs"]
        assert run["folder"].endswith(folder)


def test_no_noise_is_asked_for_by_name(dmef_bench, clips, tmp_path):
    built = dmef_bench(
        "build-dataset", clips, "-o", tmp_path / "data", *BUILD, "--limit", "1",
        "--track", "camera", "--noise", "none", "--jpeg", "none",
    )  # fmt: skip
    assert built.code == 0, built.err
    line = json.loads((tmp_path / "data/train/metadata.jsonl").read_text())
    assert line["camera_noise"] == {"shot": [0.0, 0.0, 0.0], "read": [0.0, 0.0, 0.0]}
    ended = dmef_bench(
        "run", "--data", tmp_path / "data", "--split", "train", "-o", tmp_path / "results",
        "--no-lpips", "-q", "--method", "copy-reference", "--track", "paper",
    )  # fmt: skip
    assert ended.code == 2
    assert "its exposures are of the track camera, not paper" in ended.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--noise", "0.001"), "two numbers with a comma, or none"),
        (("--noise", "0.01,0.001"), "least and most"),
        (("--noise", "nan,nan"), "least and most"),
        (("--jpeg", "50.5,60"), "qualities are whole numbers"),
        (("--jpeg", "nan,60"), "qualities are whole numbers"),
        (("--jpeg", "0,60"), "from 1 to 100"),
        (("--ev-jitter", "nan"), "must still rise"),
        (("--model", "beta"), "--model and --all-exposures belong to the paper's track"),
    ],
)
def test_what_no_camera_can_be_drawn_from_ends_in_one_sentence(
    dmef_bench, clips, tmp_path, options, message
):
    ended = dmef_bench(
        "build-dataset", clips, "-o", tmp_path / "data", *BUILD, "--track", "camera", *options
    )
    assert ended.code == 2
    assert message in ended.err
    assert "Traceback" not in ended.err
    assert not (tmp_path / "data").exists()


def test_a_training_on_the_camera_track_says_so_in_its_weights(dmef_bench, tmp_path):
    small = ("channels=8", "blocks=1", "channel_block=4", "drtm_size=6")
    ended = dmef_bench(
        "train", "--method", "ipl", "--track", "camera", "--steps", "1", "--batch", "1",
        "--crop", "32", "--workers", "1", "--validation-scenes", "1", "--out", tmp_path / "out",
        "--device", "cpu", "-q", *(word for option in small for word in ("--set", option)),
    )  # fmt: skip
    assert ended.code == 0, ended.err
    with safe_open(tmp_path / "out" / "weights.safetensors", "np") as weights:
        training = json.loads(weights.metadata()["training"])
    assert training["data"] == {"kind": "generated", "crop": 32, "track": "camera"}
