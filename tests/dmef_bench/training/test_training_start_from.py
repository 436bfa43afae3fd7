"""Training that starts from weights instead of random numbers."""

import json

import pytest
import torch
from click.testing import CliRunner
from safetensors import safe_open
from safetensors.torch import load_file

from baselines.weights_training import steps_in_words
from dmef_bench.atomic_write import sha256_of_file
from dmef_bench.cli.train import command
from dmef_bench.errors import UsageError
from dmef_bench.reproduce.weights_origin import WeightsOrigin
from dmef_bench.training import find_recipe, starting_from
from dmef_bench.training.shipped.data_words import tracks_seen, whole_data

OPTIONS = {"channels": "8", "blocks": "1", "channel_block": "4", "drtm_size": "6"}


def train(out, *more, options=OPTIONS):
    arguments = [
        "--method", "ipl", "--steps", "1", "--batch", "1", "--crop", "32", "--workers", "1",
        "--validation-scenes", "1", "--device", "cpu", "-q", "--out", str(out),
        *(part for name, value in options.items() for part in ("--set", f"{name}={value}")),
        *map(str, more),
    ]  # fmt: skip
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return out / "weights.safetensors"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return train(tmp_path_factory.mktemp("first"), "--learning-rate", "1e-2")


def test_the_network_begins_with_these_weights(weights):
    recipe = starting_from(find_recipe("ipl"), weights)
    network = recipe.build(OPTIONS)
    for name, tensor in load_file(weights).items():
        assert torch.equal(network.state_dict()[name], tensor)
    assert recipe.facts["started_from"]["sha256"] == sha256_of_file(weights)


def test_the_outcome_says_what_it_was_made_from_and_goes_on_with_the_same_alone(weights, tmp_path):
    made = train(tmp_path, "--start-from", weights, "--learning-rate", "1e-9")
    before, after = load_file(weights), load_file(made)
    assert before.keys() == after.keys()
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in before)
    with safe_open(made, framework="pt") as opened:
        told = json.loads(opened.metadata()["training"])
    assert told["started_from"]["sha256"] == sha256_of_file(weights)
    assert told["started_from"]["training"]["learning_rate"] == 1e-2
    with pytest.raises(UsageError, match="started_from"):
        train(tmp_path, "--learning-rate", "1e-9")


def test_all_that_weights_have_seen_is_told():
    photographs = {"kind": "photographs", "crop": 8, "sha256": ["aa"], "track": "camera"}
    before = {"step": 2, "data": photographs}
    training = {"step": 3, "data": {"kind": "generated"}, "started_from": {"training": before}}
    assert steps_in_words(training) == "2 + 3"
    assert tracks_seen(whole_data(training)) == ["camera", "paper"]
    origin = WeightsOrigin("given", "ab" * 32, {**training, "batch": 1})
    assert origin.photographs == {"aa"} and origin.tracks == {"camera", "paper"}
    words = "2 + 3 steps of 1 crops: 1 photograph set in motion on the camera track, then generated"
    assert words in origin.words()


def test_weights_that_do_not_fit_are_refused(weights, tmp_path):
    with pytest.raises(UsageError, match=r"blocks: 1 there, 2 now.* give the same by --set"):
        train(tmp_path, "--start-from", weights, options=OPTIONS | {"blocks": "2"})
    with pytest.raises(UsageError, match="weights of 'ipl', not of 'ahdrnet'"):
        starting_from(find_recipe("ahdrnet"), weights)
    (tmp_path / "junk.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(UsageError, match=r"--start-from: .*junk\.safetensors"):
        train(tmp_path, "--start-from", tmp_path / "junk.safetensors")
    with pytest.raises(UsageError, match="stage s2 has --stage-one"):
        train(tmp_path, "--start-from", weights, "--stage", "s1")
