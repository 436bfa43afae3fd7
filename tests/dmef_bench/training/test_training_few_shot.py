"""FSHDR's stages S1 and S2 through the training loop."""

import csv
import dataclasses

import numpy as np
import pytest
import torch

from baselines import Bracket
from baselines.conventions import Conventions
from baselines.fshdr.losses import consistency_weight, self_consistency, tone_mapped_error
from baselines.fshdr.method import FSHDRMethod
from baselines.fshdr.synthesis import pseudo_bracket
from dmef_bench.dataset import open_dataset
from dmef_bench.errors import UsageError
from dmef_bench.training import GeneratedScenes, TrainSettings, find_recipe, staged, train
from dmef_bench.training.both_tracks import BothTracks
from dmef_bench.training.dataset_crops import DatasetCrops
from dmef_bench.training.few_shot import FewShotSource, stage_one, stage_two
from dmef_bench.training.mixture import Mixture
from dmef_bench.training.samples import SampleKey, bracket_sample, response_of

CPU = torch.device("cpu")
EVS = (-1.5, 0.5, 2.5)
SETTINGS = TrainSettings(
    steps=6, batch=2, learning_rate=5e-3, warm_up=1, options={"features": "4"},
    checkpoint_every=2, validate_every=6, validation_scenes=1, validation_side=32,
)  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Networks this small only wait for one another on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Slides:
    """Smooth colours that slide by two pixels a frame."""

    evs, track, response = EVS, "paper", response_of("paper")

    def sample(self, key):
        generator = key.generator()
        phase, speed = generator.uniform(0, 6, 3), generator.uniform(0.2, 0.5, 3)
        columns = np.arange(32)[None, :, None] + np.zeros((32, 1, 1))

        def frame(time):
            wave = np.sin((columns + 2 * time) * speed + phase)
            return (90 + 60 * wave).astype(np.uint8)

        return bracket_sample((frame(0), frame(1), frame(2)), generator)

    def description(self):
        return {"kind": "slides"}


def _train(recipe, output, source, **changes):
    settings = dataclasses.replace(SETTINGS, **{k: v for k, v in changes.items() if k != "minutes"})
    return train(
        recipe, source, settings, output, device=CPU, quiet=True, minutes=changes.get("minutes")
    )


def _contents(output):
    return {path.name: path.read_bytes() for path in sorted(output.iterdir())}


def _losses(output):
    with (output / "log.csv").open() as stream:
        return [float(row["loss"]) for row in csv.DictReader(stream)]


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """Weights of a short stage S1."""
    output = tmp_path_factory.mktemp("s1")
    return _train(stage_one(2), output, FewShotSource(Slides(), 2)).weights


def _batch(source, slots=4):
    samples = [source.sample(SampleKey(0, 0, slot)) for slot in range(slots)]
    images = torch.from_numpy(np.stack([one.images for one in samples])).float() / 255
    target = torch.from_numpy(np.stack([one.target for one in samples])).float() / 255
    return Bracket(images, EVS, source.response), target


def _alone(bracket, index):
    return bracket.map(lambda images: images[index : index + 1])


def test_even_places_repeat_a_few_labelled_samples():
    source = FewShotSource(Slides(), 2)
    seen = {
        slot: {source.sample(SampleKey(0, step, slot)).target.tobytes() for step in range(12)}
        for slot in (0, 1, 2)
    }
    assert len(seen[0]) == 2
    assert seen[0] == seen[2]
    assert len(seen[1]) == 12
    assert not seen[0] & seen[1]
    again = FewShotSource(Slides(), 2).sample(SampleKey(0, 3, 2))
    assert np.array_equal(again.images, source.sample(SampleKey(0, 3, 2)).images)


def test_loss_of_stage_one_is_the_sum_of_its_terms():
    recipe = stage_one(2)
    torch.manual_seed(0)
    network = recipe.build({"features": "4"})
    bracket, target = _batch(FewShotSource(Slides(), 2))
    pictures = [
        FSHDRMethod.infer(network, _alone(bracket, n), Conventions(flow_aligned=True))
        for n in range(4)
    ]
    supervised = sum(tone_mapped_error(pictures[n], target[n : n + 1]) for n in (0, 2)) / 2
    consistent = sum(self_consistency(pictures[n], _alone(bracket, n)) for n in (1, 3)) / 2
    for progress in (0.0, 0.5):
        loss = recipe.loss.of(network, bracket, target, progress)
        expected = supervised + consistency_weight(progress) * consistent
        torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-7)
    target[1::2] = 0.123  # the ground truth of unlabelled samples is never looked at
    torch.testing.assert_close(recipe.loss.of(network, bracket, target, 0.5), loss)
    alone = sum(self_consistency(pictures[n], _alone(bracket, n)) for n in range(4)) / 4
    loss = stage_one(0).loss.of(network, bracket, target, 0.5)
    torch.testing.assert_close(loss, alone, rtol=1e-4, atol=1e-7)


def test_loss_of_stage_two_is_of_labelled_and_pseudo_pairs(first):
    recipe = stage_two(2, first)
    torch.manual_seed(1)
    network = recipe.build({"features": "4"})
    bracket, target = _batch(FewShotSource(Slides(), 2))
    teacher = FSHDRMethod()
    teacher.load(first, CPU)
    errors = []
    for n in range(4):
        one, truth, aligned = _alone(bracket, n), target[n : n + 1], n % 2 == 0
        if not aligned:
            truth = teacher.fuse(one)
            one = pseudo_bracket(truth, one, Conventions())
        picture = FSHDRMethod.infer(network, one, Conventions(flow_aligned=aligned))
        errors.append(tone_mapped_error(picture, truth))
    loss = recipe.loss.of(network, bracket, target, 0.0)
    torch.testing.assert_close(loss, sum(errors) / 4, rtol=1e-4, atol=1e-7)
    loss.backward()
    assert all(p.grad is None for p in teacher.network().parameters())


def test_both_stages_learn(tmp_path, first):
    few = FewShotSource(Slides(), 2)
    for recipe, name in ((stage_one(2), "s1"), (stage_two(2, first), "s2")):
        _train(recipe, tmp_path / name, few, steps=50, learning_rate=2e-2, validate_every=50)
        losses = _losses(tmp_path / name)
        assert np.mean(losses[-8:]) < 0.7 * np.mean(losses[:3])


@pytest.mark.parametrize("stage", ["s1", "s2"])
def test_a_stopped_stage_goes_on_to_the_same_bytes(stage, tmp_path, first):
    recipe = stage_one(2) if stage == "s1" else stage_two(2, first)
    few = FewShotSource(Slides(), 2)
    _train(recipe, tmp_path / "whole", few, steps=3)
    while not _train(recipe, tmp_path / "short", few, steps=3, minutes=1e-9).finished:
        recipe = stage_one(2) if stage == "s1" else stage_two(2, first)
    assert _contents(tmp_path / "short") == _contents(tmp_path / "whole")
    other = stage_one(2) if stage == "s2" else stage_two(2, first)
    with pytest.raises(UsageError, match="stage"):
        _train(other, tmp_path / "whole", few, steps=3)


def test_the_title_follows_the_stages(tmp_path, first):
    def title(weights):
        method = FSHDRMethod()
        method.load(weights, CPU)
        assert method.fuse(Bracket(torch.rand(1, 3, 3, 16, 16), EVS)).shape == (1, 3, 16, 16)
        return method.info.title

    assert title(first) == "FSHDR, stage S1 alone"
    few = FewShotSource(Slides(), 0)
    second = _train(stage_two(0, first), tmp_path / "s2", few, steps=1, batch=1)
    assert title(second.weights) == "FSHDR"
    plain = _train(find_recipe("fshdr"), tmp_path / "plain", Slides(), steps=1)
    assert title(plain.weights) == "BridgeNet, supervised"
    with pytest.raises(UsageError, match="not weights of stage S1"):
        stage_two(2, second.weights)


def test_what_does_not_fit_a_stage_is_said(tmp_path, first):
    recipe, source = find_recipe("fshdr"), GeneratedScenes(32)
    for given, message in (
        ((find_recipe("ahdrnet"), source, "s1", None, None, 2), "only fshdr has stages"),
        ((recipe, source, "s1", None, None, 3), "3 for each process is an odd number"),
        ((recipe, source, "s1", None, first, 2), "--stage-one is for --stage s2"),
        ((recipe, source, "s2", None, None, 2), "--stage s2 needs --stage-one FILE"),
        ((recipe, source, "s2", None, tmp_path / "no.safetensors", 2), "there is no such file"),
    ):
        with pytest.raises(UsageError, match=message):
            staged(*given)
    made, few = staged(recipe, source, "s1", None, None, 2)
    assert few.labelled == 5
    assert dict(made.facts) == {"stage": "s1"}
    assert few.response == response_of("paper")


def test_a_dataset_s_first_scenes_are_labelled_and_only_those(dataset_folder):
    source = DatasetCrops(dataset_folder, 48)
    few, rest = source.divide(1)
    names = [scene.id for scene in open_dataset(dataset_folder).scenes("train")]
    assert [scene.id for scene in few._scenes] == names[:1]
    assert [scene.id for scene in rest._scenes] == names[1:]
    shot = FewShotSource(source, 1)
    assert shot.response == open_dataset(dataset_folder).scenes("train")[0].response
    key = SampleKey(0, 0, 0)
    assert np.array_equal(shot.sample(key).images, few.sample(key).images)
    key = SampleKey(0, 0, 1)
    assert np.array_equal(shot.sample(key).images, rest.sample(key).images)
    with pytest.raises(UsageError, match="--labelled 3: the train split has 3 scenes"):
        FewShotSource(source, 3)
    both = FewShotSource(BothTracks(source, source), 1)
    assert [part._scenes for part in both._few.parts] == [few._scenes] * 2
    with pytest.raises(UsageError, match="--labelled counts the scenes of a dataset"):
        FewShotSource(Mixture(source, GeneratedScenes(48)), 1)
