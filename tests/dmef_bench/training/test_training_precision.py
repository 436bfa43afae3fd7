"""Mixed precision: it learns, resumes to the same bytes, and skips steps without diverging."""

import dataclasses
import json

import numpy as np
import pytest
import safetensors
import torch

from dmef_bench.training import DivergedError, TrainSettings, find_recipe, train
from dmef_bench.training.log import read_rows
from dmef_bench.training.recipes import Loss
from dmef_bench.training.samples import bracket_sample

CPU = torch.device("cpu")
OPTIONS = {"channels": "4", "blocks": "1", "channel_block": "4", "drtm_size": "4"}
SETTINGS = TrainSettings(
    steps=8, batch=2, learning_rate=1e-3, warm_up=1, options=OPTIONS, checkpoint_every=2,
    validate_every=8, validation_scenes=1, validation_side=32,
)  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Networks this small only wait for one another on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Waves:
    """Colours that change slowly and stand still."""

    evs, track = (-1.5, 0.5, 2.5), "paper"

    def sample(self, key):
        generator = key.generator()
        wave = np.sin(np.arange(32)[None, :, None] / generator.uniform(4, 9, 3))
        frame = (120 + 60 * wave + np.zeros((32, 1, 1))).astype(np.uint8)
        return bracket_sample((frame, frame, frame), generator)

    def description(self):
        return {"kind": "waves"}


def run(output, recipe=None, minutes=None, **changes):
    settings = dataclasses.replace(SETTINGS, **changes)
    return train(
        recipe or find_recipe("ipl"), Waves(), settings, output, device=CPU, minutes=minutes,
        quiet=True,
    )  # fmt: skip


def losses(output):
    return [float(row["loss"]) for row in read_rows(output / "log.csv")]


def scaler_in(output):
    with safetensors.safe_open(output / "checkpoint.safetensors", "pt") as opened:
        metadata = opened.metadata()
    return json.loads(metadata["scaler"]), int(metadata["skipped"])


def overflowing(at):
    """IPL whose loss has no finite gradient at some steps of eight."""

    def loss(network, bracket, target, progress):
        error = (recipe.predict(network, bracket) - target).abs().mean()
        return error * float("inf") if round(8 * progress) in at else error

    recipe = find_recipe("ipl")
    return dataclasses.replace(recipe, loss=Loss("sometimes infinite", loss))


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_it_learns_like_float32_and_keeps_float32_weights(precision, tmp_path):
    run(tmp_path / "fp32")
    report = run(tmp_path / "half", precision=precision)
    np.testing.assert_allclose(losses(tmp_path / "half"), losses(tmp_path / "fp32"), rtol=0.05)
    assert losses(tmp_path / "half") != losses(tmp_path / "fp32")
    weights = safetensors.torch.load_file(report.weights)
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
    with safetensors.safe_open(report.weights, "pt") as opened:
        assert json.loads(opened.metadata()["training"])["precision"] == precision


def test_a_stopped_fp16_run_goes_on_to_the_same_bytes(tmp_path):
    recipe = overflowing({2, 3})
    run(tmp_path / "whole", recipe, precision="float16")
    while not run(tmp_path / "short", recipe, 1e-9, precision="float16").finished:
        pass
    contents = [
        {path.name: path.read_bytes() for path in sorted((tmp_path / name).iterdir())}
        for name in ("whole", "short")
    ]
    assert contents[0] == contents[1]


def test_a_step_that_overflows_is_skipped_and_the_scale_halved(tmp_path):
    run(tmp_path, overflowing({2, 3, 7}), precision="float16")
    state, skipped = scaler_in(tmp_path)
    assert (state["scale"], skipped) == (2.0**16 / 8, 1)
    found = losses(tmp_path)
    assert [np.isfinite(loss) for loss in found] == [n not in (2, 3, 7) for n in range(8)]
    kept = safetensors.torch.load_file(tmp_path / "weights.safetensors")
    assert all(tensor.isfinite().all() for tensor in kept.values())


def test_many_skipped_steps_in_a_row_are_a_divergence(tmp_path):
    recipe = overflowing(set(range(2, 8)))
    with pytest.raises(DivergedError, match=r"the 20th step in a row.*is kept"):
        run(tmp_path, recipe, precision="float16", steps=40)
    with pytest.raises(DivergedError, match=r"step 3: the loss is inf"):
        run(tmp_path / "bf16", overflowing({2}), precision="bfloat16")
