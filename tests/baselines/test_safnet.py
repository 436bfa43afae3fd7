"""SAFNet: the authors' outputs, its merge by hand, and its way into a bracket's space."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_networks import tiny_network, write_weights

from baselines import Bracket, WeightsError, from_checkpoint, resolve
from baselines.conventions import AUTHORS, Conventions
from baselines.safnet import SAFNet, SAFNetConfig
from baselines.safnet.network import Motion, merge

GOLDEN = Path(__file__).parents[1] / "golden" / "safnet.npz"
EVS = (-1.5, 0.5, 2.5)


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Pictures this small only wait for one another on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def drawn(state, size):
    """Weights and three exposures from a seed whose values never change with NumPy's version."""
    random = np.random.RandomState(0)
    values = {}
    for key, tensor in sorted(state.items()):
        scale = 0.8 / math.sqrt(tensor[0].numel()) if tensor.ndim > 1 else 0.1
        values[key] = torch.from_numpy(random.standard_normal(tuple(tensor.shape)) * scale).float()
    exposures = [torch.from_numpy(random.random_sample((1, 6, *size))).float() for _ in range(3)]
    return values, exposures


def test_gives_the_authors_output():
    """Their code's output, with as many parameters, drawn from a seed."""
    with np.load(GOLDEN) as arrays:
        wanted = [torch.from_numpy(arrays[name]) for name in ("merged", "refined")]
    state, exposures = drawn(SAFNet().state_dict(), wanted[0].shape[-2:])
    assert sum(tensor.numel() for tensor in state.values()) == 1_120_849
    network = from_checkpoint({"state_dict": {f"module.{k}": v for k, v in state.items()}})
    assert isinstance(network, SAFNet)
    with torch.no_grad():
        for result, expected in zip(network(*exposures), wanted, strict=True):
            torch.testing.assert_close(result, expected, atol=1e-5, rtol=0)


def test_its_sizes_are_read_off_a_checkpoint():
    config = SAFNetConfig(features=5, refine_features=12)
    assert from_checkpoint(SAFNet(config).state_dict()).config == config
    odd = dict(SAFNet(config).state_dict())
    odd["refinenet.conv3.weight"] = torch.zeros(3, 6, 3, 3)
    with pytest.raises(WeightsError, match="looks like SAFNet, but its sizes fit none"):
        from_checkpoint(odd)


def test_the_reference_alone_is_merged_where_it_is_middling():
    """Weights of white, black, grey and a bright grey, with half the darkest's mask."""
    shown = torch.tensor([1.0, 0.0, 0.5, 0.75]).expand(1, 3, 1, 4)
    linear = torch.full_like(shown, 0.3)
    half, one = torch.full((1, 1, 1, 4), 0.5), torch.ones(1, 1, 1, 4)
    still = torch.zeros(1, 2, 1, 4)
    low, high = torch.full_like(shown, 0.9), torch.full_like(shown, 0.1)
    merged = merge(low, torch.cat((linear, shown), 1), high, Motion(still, still, half, one))
    torch.testing.assert_close(merged[0, 0, 0], torch.tensor([0.6, 0.1, 0.3, 0.45]))


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (7, 50), (33, 18)])
def test_any_size_comes_back_in_its_own(size):
    network = tiny_network("safnet").double()
    exposures = torch.rand(3, 2, 6, *size, dtype=torch.float64)
    with torch.no_grad():
        motion = network.motion(*exposures, scale_factor=0.5)
        merged, refined = network(*exposures)
    assert motion.low.shape == (2, 2, *size)
    assert merged.shape == refined.shape == (2, 3, *size)
    assert bool(torch.isfinite(refined).all())
    assert refined.dtype == torch.float64


@pytest.mark.parametrize("conventions", [AUTHORS, Conventions()])
def test_what_it_merges_is_in_the_space_it_predicts(conventions, tmp_path):
    """Without a correction, a still scene that nothing clips comes back as it was."""
    network = tiny_network("safnet")
    for parameter in (*network.refinenet.conv3.parameters(), *network.decoder.conv6.parameters()):
        torch.nn.init.zeros_(parameter)
    truth = torch.rand(1, 3, 12, 20, generator=torch.Generator().manual_seed(2)) * 0.4
    bracket = Bracket(torch.stack([truth * 2 ** (ev / 2.2) for ev in EVS], 1), EVS)
    method = resolve("safnet")()
    method.load(
        write_weights(tmp_path / "w.safetensors", network, "safnet", conventions),
        torch.device("cpu"),
    )
    torch.testing.assert_close(method.fuse(bracket), truth, atol=1e-5, rtol=1e-4)


def test_a_published_figure_has_its_source():
    (figure,) = resolve("safnet").info.published
    assert figure.psnr == 44.66
    assert "ECCV 2024" in figure.source
    assert "PSNR-μ" in figure.note
