import itertools
import json

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from dmef_bench.errors import UsageError
from dmef_bench.training import (
    GeneratedScenes,
    Mixture,
    MovingPhotographs,
    SampleKey,
    TrainSettings,
)
from dmef_bench.training.photograph_motion import PhotographInMotion
from dmef_bench.training.samples import Batches, validation_generator
from dmef_bench.training.schedule import learning_rate, update_average
from synth.camera_response import camera_response
from synth.exposure import DEFAULT_EVS, expose


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    generator = np.random.default_rng(0)
    for number in range(3):
        rough = generator.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        picture = cv2.resize(rough, (160, 120), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


def sources(photographs):
    generated, moving = GeneratedScenes(32), MovingPhotographs(photographs, 32)
    return {"generated": generated, "photographs": moving, "mixture": Mixture(generated, moving)}


@pytest.mark.parametrize("kind", ["generated", "photographs", "mixture"])
def test_samples_depend_on_their_key_only(photographs, kind):
    source, again = sources(photographs)[kind], sources(photographs)[kind]
    keys = [SampleKey(5, step, slot) for step in range(2) for slot in range(2)]
    forward = [source.sample(key) for key in keys]
    backward = [again.sample(key) for key in reversed(keys)][::-1]
    for one, other in zip(forward, backward, strict=True):
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.target, other.target)
    assert len({sample.target.tobytes() for sample in forward}) == len(keys)
    assert json.loads(json.dumps(source.description())) == source.description()


@pytest.mark.parametrize("kind", ["generated", "photographs"])
def test_reference_is_the_ground_truth_exposed_and_the_others_have_moved(photographs, kind):
    source = sources(photographs)[kind]
    response = camera_response("sigmoid")
    moved = 0
    for step in range(4):
        sample = source.sample(SampleKey(0, step, 0))
        assert sample.images.shape == (3, 3, 32, 32) and sample.target.shape == (3, 32, 32)
        assert sample.images.dtype == sample.target.dtype == np.uint8
        own = [expose(sample.target, ev, response) for ev in DEFAULT_EVS]
        np.testing.assert_array_equal(sample.images[1], own[1])
        moved += any((sample.images[n] != own[n]).any() for n in (0, 2))
    assert moved == 4


def test_batches_are_the_same_with_any_number_of_workers(photographs):
    batches = Batches(sources(photographs)["mixture"], 3, 2, 4)

    def all_of(workers):
        loader = DataLoader(batches, batch_size=None, sampler=range(4), num_workers=workers)
        return list(loader)

    alone, shared = all_of(0), all_of(2)
    assert alone[0][0].shape == (2, 3, 3, 32, 32)
    for one, other in zip(alone, shared, strict=True):
        assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])


def test_held_out_scenes_are_no_training_scenes():
    held_out = {validation_generator(n).integers(2**62) for n in range(50)}
    seen = {
        SampleKey(seed, step, slot).generator().integers(2**62)
        for seed in range(3) for step in range(50) for slot in range(4)
    }  # fmt: skip
    assert len(held_out) == 50 and len(seen) == 600
    assert not held_out & seen


def test_a_folder_without_photographs_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(UsageError, match="no JPEG or PNG"):
        MovingPhotographs(tmp_path, 32)


def test_learning_rate_warms_up_and_falls():
    settings = TrainSettings(steps=100, warm_up=10)
    rates = [learning_rate(step, settings) for step in range(100)]
    assert rates[0] == pytest.approx(2e-5) and max(rates) == rates[9] == pytest.approx(2e-4)
    assert all(a >= b for a, b in itertools.pairwise(rates[9:]))
    assert rates[-1] < 0.02 * 2e-4


def test_steps_and_constant_rates():
    settings = TrainSettings(
        steps=100, warm_up=4, schedule="step", milestones=(0.5, 0.9), step_factor=0.1
    )
    rates = [learning_rate(step, settings) for step in (0, 3, 49, 50, 89, 90)]
    assert rates == pytest.approx([5e-5, 2e-4, 2e-4, 2e-5, 2e-5, 2e-6])
    constant = TrainSettings(steps=100, warm_up=0, schedule="constant")
    assert {learning_rate(step, constant) for step in range(100)} == {2e-4}


def test_an_average_without_decay_is_the_network():
    network = torch.nn.Linear(3, 3)
    average = {name: torch.zeros_like(value) for name, value in network.state_dict().items()}
    update_average(average, network, 5, 0)
    assert all(torch.equal(average[name], value) for name, value in network.state_dict().items())


def test_average_follows_the_weights():
    network = torch.nn.BatchNorm1d(1)
    average = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        network.weight.fill_(3)
    network.num_batches_tracked.fill_(7)
    update_average(average, network, 1, 0.9)
    assert average["weight"].item() == pytest.approx(1 + 2 * (1 - 2 / 11))
    assert average["num_batches_tracked"].item() == 7
    update_average(average, network, 10**6, 0.9)
    assert average["weight"].item() == pytest.approx(3 - (2 * 2 / 11) * 0.9)


def test_a_photograph_at_rest_is_shown_as_it_is():
    view = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    resting = moving_with_objects(view, objects=0, speed=0)
    for time in (-1, 0, 1):
        np.testing.assert_array_equal(resting.frame(time), view)
    moving = moving_with_objects(view, objects=0, speed=1)
    np.testing.assert_array_equal(moving.frame(0), view)
    assert (moving.frame(1) != view).any()


def test_things_move_in_front_of_a_resting_photograph():
    view = np.full((40, 60, 3), 200, np.uint8)
    pieces = np.zeros((80, 80, 3), np.uint8)
    scene = moving_with_objects(view, objects=3, speed=1, objects_from=pieces)
    frames = [scene.frame(time) for time in (0, 1)]
    assert all((frame < 50).any() and (frame == 200).any() for frame in frames)
    assert (frames[0] != frames[1]).any()


def moving_with_objects(view, *, objects, speed, objects_from=None):
    """A photograph in motion with that many things, by the first seed that draws them."""
    for seed in itertools.count():
        scene = PhotographInMotion(
            view, *view.shape[:2], np.random.default_rng(seed), speed=speed,
            objects_from=view if objects_from is None else objects_from,
        )  # fmt: skip
        if len(scene.objects) == objects:
            return scene
