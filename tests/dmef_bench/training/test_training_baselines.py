"""The learned baselines through the training loop and back into their methods."""

import numpy as np
import pytest
import torch

from baselines import Bracket, resolve
from dmef_bench.errors import UsageError
from dmef_bench.training import TrainSettings, find_recipe, train
from dmef_bench.training.samples import bracket_sample

TINY = {
    "ahdrnet": {"features": "4", "growth": "2", "dense_layers": "1"},
    "fshdr": {"features": "4"},
    "hdr-transformer": {"features": "12", "depths": "1", "heads": "2", "reduction": "4"},
    "sctnet": {"features": "12", "depths": "1", "heads": "2", "channel_heads": "2"},
    "bracketire": {"features": "4", "blocks": "1,1,1,1", "groups": "2", "flow": "false"},
    "safnet": {"features": "4", "refine_features": "8"},
    "meflut": {"width": "4", "reduction": "2"},
}


class Noise:
    """Still pictures of noise: enough to take a step from."""

    evs = (-1.5, 0.5, 2.5)
    track = "paper"

    def sample(self, key):
        generator = key.generator()
        frame = generator.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        return bracket_sample((frame, frame, frame), generator)

    def description(self):
        return {"kind": "noise"}


@pytest.mark.parametrize("name", TINY)
def test_trained_weights_load_into_their_method(name, tmp_path):
    settings = TrainSettings(
        steps=2, batch=1, warm_up=1, options=TINY[name], checkpoint_every=2,
        validate_every=2, validation_scenes=1, validation_side=32,
    )  # fmt: skip
    report = train(
        find_recipe(name), Noise(), settings, tmp_path, device=torch.device("cpu"), quiet=True
    )
    assert report.finished
    method = resolve(name)()
    method.load(report.weights, torch.device("cpu"))
    assert method.conventions.output == "display"
    assert method.conventions.zero_ev == "ground-truth"
    assert method.info.title != "FSHDR"
    bracket = Bracket(torch.rand(1, 3, 3, 16, 16), (-1.5, 0.5, 2.5))
    assert method.fuse(bracket).shape == (1, 3, 16, 16)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("ahdrnet", {"width": "4"}, "has no field 'width'; it has inputs, features"),
        ("ahdrnet", {"features": "wide"}, "--set features=wide: give a value like 64"),
        ("sctnet", {"depths": "6,true"}, "give a value like 6,6,6,6"),
        ("bracketire", {"flow": "1"}, "give a value like false"),
        ("hdr-transformer", {"depths": "1"}, "can't have these sizes"),
        ("bracketire", {"channels": "4"}, "can't fuse three RGB exposures"),
    ],
)
def test_wrong_options_are_said(name, options, message):
    with pytest.raises(UsageError, match=message):
        find_recipe(name).build(options)


def test_a_crop_that_does_not_fit_is_said():
    recipe = find_recipe("sctnet")
    network = recipe.build(TINY["sctnet"])
    with pytest.raises(UsageError, match="multiples of 8, not 20×20: choose another --crop"):
        recipe.predict(network, Bracket(torch.rand(1, 3, 3, 20, 20), (-1.5, 0.5, 2.5)))
