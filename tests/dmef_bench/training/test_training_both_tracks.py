"""One training of both tracks: its samples, its validation and its log."""

import csv

import cv2
import numpy as np
import pytest
import torch

from dmef_bench.errors import UsageError
from dmef_bench.training import SampleKey, TrainSettings, find_recipe, make_source, train
from dmef_bench.training.both_tracks import BothTracks
from dmef_bench.training.generated import GeneratedScenes
from dmef_bench.training.log import TrainingLog, read_rows
from dmef_bench.training.validation import HeldOutScenes, Quality
from synth.exposure import DEFAULT_EVS

CPU = torch.device("cpu")
OPTIONS = {"channels": "4", "blocks": "1", "channel_block": "4", "drtm_size": "4"}
SETTINGS = TrainSettings(
    steps=2, batch=4, options=OPTIONS, checkpoint_every=1, validate_every=1, validation_scenes=1,
    validation_side=32,
)  # fmt: skip


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / "photograph.png"), cv2.GaussianBlur(noise, (0, 0), 3))
    return folder


def test_every_sample_is_of_the_track_its_key_names(photographs):
    both, paper, camera = (
        make_source(None, photographs, 32, t) for t in ("both", "paper", "camera")
    )
    assert (both.track, both.evs, both.response) == ("both", DEFAULT_EVS, None)
    served = []
    for step in range(2):
        for slot in range(4):
            key = SampleKey(3, step, slot)
            images = both.sample(key).images
            of_paper = np.array_equal(images, paper.sample(key).images)
            assert of_paper != np.array_equal(images, camera.sample(key).images)
            served.append((of_paper, (step + slot) % 2))
    for batch in (served[:4], served[4:]):
        assert sorted(batch) == [(False, 0), (False, 1), (True, 0), (True, 1)]
    assert both.description() == make_source(None, photographs, 32, "both").description()
    assert both.description() not in (paper.description(), camera.description())


def test_tracks_of_other_evs_are_not_put_together():
    other = GeneratedScenes(32, "camera")
    other.evs = (-1.0, 0.0, 1.0)
    with pytest.raises(UsageError, match="train on one --track"):
        BothTracks(GeneratedScenes(32), other)


def test_validation_measures_each_track_and_logs_their_mean(tmp_path):
    recipe, source = find_recipe("ipl"), make_source(None, None, 32, "both")
    report = train(recipe, source, SETTINGS, tmp_path, device=CPU, quiet=True)
    with (tmp_path / "log.csv").open() as stream:
        last = {name: float(value) for name, value in list(csv.DictReader(stream))[-1].items()}
    for figure in ("psnr", "ssim"):
        mean = (last[f"paper_{figure}"] + last[f"camera_{figure}"]) / 2
        assert last[f"validation_{figure}"] == pytest.approx(mean)
    assert last["paper_psnr"] != last["camera_psnr"]
    assert (report.psnr, report.ssim) == (last["validation_psnr"], last["validation_ssim"])
    resumed = train(recipe, source, SETTINGS, tmp_path, device=CPU, quiet=True)
    assert resumed == report
    alone = make_source(None, None, 32, "paper")
    with pytest.raises(UsageError, match="other settings"):
        train(recipe, alone, SETTINGS, tmp_path, device=CPU, quiet=True)


def test_held_out_scenes_of_a_track_do_not_depend_on_the_other():
    recipe = find_recipe("ipl")
    network = recipe.build(OPTIONS)  # untrained: a copy of the reference
    both = HeldOutScenes(2, 32, "both").measure(recipe, network, CPU)
    for track, quality in both.items():
        assert HeldOutScenes(2, 32, track).measure(recipe, network, CPU) == {track: quality}
        assert 0 < quality.ssim < 1


def test_a_log_without_the_newer_columns_goes_on(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(
        "step,loss,learning_rate,validation_psnr\n1,0.5,0.1,\n2,0.25,0.1,31.5\n3,0.1,0.1,\n"
    )
    with TrainingLog(path, 2) as log:
        assert (log.last_psnr, log.last_ssim) == (31.5, None)
        log.add(3, 0.125, 0.05, {"paper": Quality(32.5, 0.5)})
    rows = read_rows(path)
    assert [row["step"] for row in rows] == ["1", "2", "3"]
    assert [row["validation_psnr"] for row in rows] == ["", "31.5", "32.5"]
    assert [row["validation_ssim"] for row in rows] == ["", "", "0.5"]
