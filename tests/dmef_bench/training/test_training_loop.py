import csv
import dataclasses
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from own_process import run_python

from baselines import Bracket
from dmef_bench.errors import IntegrityError, UsageError
from dmef_bench.ipl import IPLMethod
from dmef_bench.training import (
    DivergedError,
    Recipe,
    TrainSettings,
    find_recipe,
    train,
)
from dmef_bench.training.device_memory import DeviceFullError
from dmef_bench.training.samples import bracket_sample

CPU = torch.device("cpu")
OPTIONS = {"channels": "8", "blocks": "2", "channel_block": "4", "drtm_size": "6"}
SETTINGS = TrainSettings(
    steps=12, batch=2, learning_rate=2e-3, warm_up=2, options=OPTIONS, checkpoint_every=4,
    validate_every=6, validation_scenes=1, validation_side=32,
)  # fmt: skip


class Ramps:
    """Colour ramps that slide: as little data as can be learned from."""

    evs = (-1.5, 0.5, 2.5)
    track = "paper"

    def __init__(self, die_at=None):
        self._die_at = die_at

    def sample(self, key):
        if key.step == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        generator = key.generator()
        slope, shift = generator.uniform(1, 4, 3), generator.uniform(0, 100, 3)
        columns = np.arange(32)[None, :, None] + np.zeros((32, 1, 1))

        def frame(time):
            return ((columns + 2 * time) * slope + shift).clip(0, 255).astype(np.uint8)

        return bracket_sample((frame(0), frame(1), frame(2)), generator)

    def description(self):
        return {"kind": "ramps"}


def run(output, settings=SETTINGS, source=None, **more):
    recipe = more.pop("recipe", find_recipe("ipl"))
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # a child has as many as this process, whatever ran in it before
    try:
        return train(recipe, source or Ramps(), settings, output, device=CPU, quiet=True, **more)
    finally:
        torch.set_num_threads(before)


def rows(output):
    with (output / "log.csv").open() as stream:
        return list(csv.DictReader(stream))


def contents(output):
    return {path.name: path.read_bytes() for path in sorted(output.iterdir())}


def test_loss_falls_on_a_tiny_set(tmp_path):
    settings = dataclasses.replace(SETTINGS, steps=40, learning_rate=1e-2)
    report = run(tmp_path, settings)
    losses = [float(row["loss"]) for row in rows(tmp_path)]
    assert report.finished and report.step == 40
    assert np.mean(losses[-8:]) < 0.6 * np.mean(losses[:4])


def test_weights_load_as_the_method_they_are_for(tmp_path):
    report = run(tmp_path)
    method = IPLMethod()
    method.load(report.weights, CPU)
    assert method.network().config.channels == 8
    fused = method.fuse(Bracket(torch.rand(1, 3, 3, 20, 20), (-1.5, 0.5, 2.5)))
    assert fused.isfinite().all()


CHILD = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from test_training_loop import Ramps, run
run(Path(sys.argv[1]), source=Ramps(die_at=int(sys.argv[2])))
"""


def test_killed_and_resumed_run_gives_the_same_bytes(tmp_path):
    run(tmp_path / "whole")
    script = CHILD.format(paths=[str(Path(__file__).parent)])
    child = run_python(script, tmp_path / "killed", 7)
    assert child.code == -signal.SIGKILL, child.err
    assert 4 <= len(rows(tmp_path / "killed")) < 12
    with (tmp_path / "killed" / "log.csv").open("a") as stream:
        stream.write("8,0.1")  # half a line, as a kill may leave it
    run(tmp_path / "killed")
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_time_limit_stops_with_a_checkpoint_that_goes_on(tmp_path):
    run(tmp_path / "whole")
    report = run(tmp_path / "short", minutes=1e-9)
    assert (report.step, report.finished) == (1, False)
    while not run(tmp_path / "short", minutes=1e-9).finished:
        pass
    assert contents(tmp_path / "short") == contents(tmp_path / "whole")


def test_finished_run_is_left_as_it_is(tmp_path):
    first = run(tmp_path)
    before = contents(tmp_path)
    again = run(tmp_path)
    assert again == first
    assert contents(tmp_path) == before


def test_other_settings_are_refused_with_the_difference(tmp_path):
    run(tmp_path)
    with pytest.raises(UsageError, match=r"batch: 2 there, 3 now"):
        run(tmp_path, dataclasses.replace(SETTINGS, batch=3))


def test_a_checkpoint_that_knows_fewer_settings_is_of_their_defaults(tmp_path):
    run(tmp_path, minutes=1e-9)
    checkpoint = tmp_path / "checkpoint.safetensors"
    with safetensors.safe_open(checkpoint, "pt") as opened:
        metadata = opened.metadata()
    settings = json.loads(metadata["settings"])
    for name in ("optimiser", "schedule", "milestones", "step_factor", "precision"):
        del settings[name]
    metadata["settings"] = json.dumps(settings)
    safetensors.torch.save_file(safetensors.torch.load_file(checkpoint), checkpoint, metadata)
    with pytest.raises(UsageError, match="schedule: 'cosine' there, 'constant' now"):
        run(tmp_path, dataclasses.replace(SETTINGS, schedule="constant"))
    assert run(tmp_path, minutes=1e-9).step == 2


def with_dropout():
    """IPL before which values are dropped at random."""
    ipl = find_recipe("ipl")
    return dataclasses.replace(
        ipl,
        predict=lambda network, bracket: network(
            torch.nn.functional.dropout(bracket.images, 0.3, network.training)
        ),
    )


def test_random_numbers_of_a_network_are_the_same_after_a_resumption(tmp_path):
    run(tmp_path / "whole", recipe=with_dropout())
    while not run(tmp_path / "short", minutes=1e-9, recipe=with_dropout()).finished:
        pass
    assert contents(tmp_path / "short") == contents(tmp_path / "whole")


def test_an_error_in_a_worker_is_told_as_it_is(tmp_path):
    class Damaged(Ramps):
        def sample(self, key):
            raise IntegrityError("photo.jpg: damaged")

    with pytest.raises(IntegrityError, match=r"^photo\.jpg: damaged$"):
        run(tmp_path, source=Damaged(), workers=1)


def test_overwriting_begins_anew_once_the_network_could_be_made(tmp_path):
    run(tmp_path)
    before = contents(tmp_path)
    wrong = dataclasses.replace(SETTINGS, options=OPTIONS | {"lfe": "both"})
    with pytest.raises(UsageError, match="lfe"):
        run(tmp_path, wrong, overwrite=True)
    assert contents(tmp_path) == before
    other = dataclasses.replace(SETTINGS, seed=1)
    assert run(tmp_path, other, overwrite=True).finished
    assert len(rows(tmp_path)) == SETTINGS.steps
    assert contents(tmp_path) != before


def test_a_full_device_is_told_with_what_to_do(tmp_path):
    def full(network, bracket):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    recipe = dataclasses.replace(find_recipe("ipl"), predict=full)
    with pytest.raises(DeviceFullError, match="step 1: the memory of cpu is full; give a smaller"):
        run(tmp_path, recipe=recipe)


def test_damaged_checkpoint_is_named(tmp_path):
    run(tmp_path)
    checkpoint = tmp_path / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    with pytest.raises(IntegrityError, match=r"checkpoint\.safetensors"):
        run(tmp_path)
    safetensors.torch.save_file({"a": torch.ones(1)}, checkpoint)
    with pytest.raises(IntegrityError, match="no checkpoint"):
        run(tmp_path)


def diverging():
    """IPL that computes NaN at its seventh training step."""
    ipl = find_recipe("ipl")

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = ipl.build(OPTIONS)
            self.calls = 0

        def forward(self, images):
            self.calls += self.training
            return self.inner(images) * (float("nan") if self.calls == 7 else 1)

    return Recipe(
        "diverging", lambda options: Network(), lambda n, b: n(b.images),
        lambda n: ipl.metadata(n.inner),
    )  # fmt: skip


def test_nan_loss_stops_and_keeps_the_last_good_checkpoint(tmp_path):
    with pytest.raises(DivergedError, match=r"step 7: the loss is nan.*is kept") as caught:
        run(tmp_path, recipe=diverging())
    assert caught.value.exit_code == 1
    state = safetensors.torch.load_file(tmp_path / "checkpoint.safetensors")
    assert all(tensor.isfinite().all() for tensor in state.values())
    with safetensors.safe_open(tmp_path / "checkpoint.safetensors", "pt") as opened:
        assert opened.metadata()["step"] == "4"
    assert len(rows(tmp_path)) == 6


def test_unknown_methods_and_options_are_named():
    with pytest.raises(UsageError, match="'gdc' can't be trained"):
        find_recipe("gdc")
    with pytest.raises(UsageError, match="no field 'speed'"):
        find_recipe("ipl").build({"speed": "9"})
