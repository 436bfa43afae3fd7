"""The recipes of the methods' authors, beside the common one."""

import json
import math

import numpy as np
import pytest
import torch
from safetensors import safe_open

from baselines import Bracket
from baselines.fshdr.losses import tone_mapped_error
from dmef_bench.errors import UsageError
from dmef_bench.training import TrainSettings, find_recipe, own_recipe, train
from dmef_bench.training.own_recipes import OWN_RECIPES, mu_law_l1
from dmef_bench.training.samples import bracket_sample
from dmef_bench.training.schedule import learning_rate
from dmef_bench.training.settings import defaults
from dmef_bench.training.step import make_optimiser


class Still:
    """One plain picture."""

    evs, track = (-1.5, 0.5, 2.5), "paper"

    def sample(self, key):
        frame = np.full((32, 32, 3), 100, np.uint8)
        return bracket_sample((frame, frame, frame), key.generator())

    def description(self):
        return {"kind": "still"}


def test_l1_of_mu_law_is_what_it_says():
    picture, truth = torch.tensor([0.25, 0.5, -0.1]), torch.tensor([0.25, 1.0, 0.0])
    compressed = [math.log(1 + 5000 * max(v, 0) ** 2.2) / math.log(5001) for v in (0.5, 1.0)]
    expected = (compressed[1] - compressed[0]) / 3
    assert mu_law_l1(picture, truth).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", OWN_RECIPES)
def test_a_recipe_s_settings_are_settings_and_differ_from_the_common_ones(name):
    own = own_recipe(name)
    settings = TrainSettings(steps=75, **own.settings)
    assert own.settings.keys() <= defaults().keys()
    assert any(getattr(settings, key) != value for key, value in defaults().items())
    assert own.crop % 8 == 0
    assert own.applied(find_recipe(name)).facts["recipe"] == "own"


def test_the_rates_of_fshdr_fall_every_tenth_of_75_epochs():
    settings = TrainSettings(steps=75, **own_recipe("fshdr").settings)
    rates = [learning_rate(step, settings) for step in (0, 9, 10, 20, 74)]
    assert rates == pytest.approx([3e-4, 3e-4, 2.25e-4, 1.6875e-4, 3e-4 * 0.75**7])


def test_losses_are_the_authors():
    torch.manual_seed(0)
    bracket, truth = (
        Bracket(torch.rand(2, 3, 3, 16, 16), (-1.5, 0.5, 2.5)),
        torch.rand(2, 3, 16, 16),
    )
    options = {"ahdrnet": {"features": "4", "growth": "2", "dense_layers": "1"}}
    for name, error in (("ahdrnet", mu_law_l1), ("fshdr", tone_mapped_error)):
        recipe = own_recipe(name).applied(find_recipe(name))
        network = recipe.build(options.get(name, {"features": "4"}))
        expected = error(recipe.predict(network, bracket), truth)
        assert torch.equal(recipe.loss.of(network, bracket, truth, 0.0), expected)
    assert own_recipe("ipl").applied(find_recipe("ipl")).loss is None


def test_optimisers_are_those_that_are_named():
    network = torch.nn.Linear(2, 2)
    common = make_optimiser(network, TrainSettings(steps=1))
    own = make_optimiser(network, TrainSettings(steps=1, **own_recipe("ahdrnet").settings))
    assert type(common) is torch.optim.AdamW and common.param_groups[0]["weight_decay"] == 0.01
    assert type(own) is torch.optim.Adam and own.param_groups[0]["weight_decay"] == 0
    assert (own.param_groups[0]["lr"], own.param_groups[0]["betas"]) == (1e-4, (0.9, 0.999))


def test_weights_say_what_of_the_recipe_is_left_out(tmp_path):
    recipe = own_recipe("sctnet").applied(find_recipe("sctnet"))
    settings = TrainSettings(
        steps=1, **{**own_recipe("sctnet").settings, "batch": 1}, validation_scenes=1,
        validation_side=32,
        options={"features": "12", "depths": "1", "heads": "2", "channel_heads": "2"},
    )  # fmt: skip
    train(recipe, Still(), settings, tmp_path, device=torch.device("cpu"), quiet=True)
    with safe_open(tmp_path / "weights.safetensors", "pt") as opened:
        told = json.loads(opened.metadata()["training"])
    assert (told["recipe"], told["optimiser"]) == ("own", "adam")
    assert told["loss"] == "L1 of μ-law (μ = 5000)"
    assert "perceptual loss on VGG" in told["left_out"]


@pytest.mark.parametrize(
    ("name", "why"),
    [("safnet", "to themselves"), ("meflut", "MEF-SSIM"), ("mine", "none is known")],
)
def test_methods_without_a_recipe_say_why(name, why):
    with pytest.raises(UsageError, match=f"--recipe own: {name} has no recipe.*{why}.*use common"):
        own_recipe(name)
