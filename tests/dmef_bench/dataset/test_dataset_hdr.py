"""HDR phone videos from files to a dataset: converted and recorded, or turned down by name."""

import numpy as np
import pytest
from known_colours import Known, even, number_of, wanted, write

from dmef_bench.dataset import BuildSettings, build_dataset, open_dataset

X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:lossless=1")
HLG = Known(X265, ".mp4", "yuv420p10le", "bt2020nc", False, "arib-std-b67", "bt2020")


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phone")
    write(HLG, folder / "hlg.mp4")
    write(Known(("-c:v", "prores_ks"), ".mov", "yuv422p10le"), folder / "sdr.mov")
    return folder


def test_hdr_is_converted_and_the_policy_recorded(videos, tmp_path):
    settings = BuildSettings(min_height=100, hdr="tonemap", near_duplicates="keep")
    report = build_dataset(videos, tmp_path / "out", settings)
    assert (report.added, report.rejected) == (2, ())
    dataset = open_dataset(tmp_path / "out")
    assert dataset.record.settings["hdr"] == "tonemap"
    scenes = [scene for split in ("train", "test") for scene in dataset.scenes(split)]
    (scene,) = (each for each in scenes if each.record.source.name == "hlg.mp4")
    assert scene.record.colour.policy.startswith("HLG tone-mapped: ")
    assert "tonemap=tonemap=hable:desat=0:peak=10" in scene.record.colour.policy
    truth = scene.load_ground_truth()
    number = number_of(HLG, truth)
    apart = np.abs(truth.astype(int) - wanted(HLG, number))[even(HLG, number)]
    assert apart.max() <= 1


def test_hdr_is_turned_down_unless_it_is_asked_for(videos, tmp_path):
    report = build_dataset(videos, tmp_path / "out", BuildSettings(min_height=100))
    assert [(video.name, video.code) for video in report.rejected] == [("hlg.mp4", "hdr")]
