"""All weights in the package: what they state, and that they still do what they state.

A figure may differ between machines by `TOLERANCE`: convolutions round otherwise, and a value on
the edge of two of the 256 levels then falls on the other side.
"""

from pathlib import Path

import pytest
import torch

from baselines import resolve
from dmef_bench.ipl.block_coders import SHIPPED_CODERS
from dmef_bench.ipl.chunked_ahdrnet import ChunkedAHDRNet
from dmef_bench.training import RECIPES
from dmef_bench.training.model_cards import FOLDER, model_cards
from dmef_bench.training.shipped import TOLERANCE, measure, shipped_weights
from dmef_bench.training.shipped.photographs import photographs_of, read_licences

HOME = Path(__file__).parents[3]
CARDS = HOME / FOLDER
SHIPPED = {weights.method: weights for weights in shipped_weights()}
LARGEST = 30_000_000
TRAINING_FACTS = {
    "method", "data", "steps", "step", "batch", "seed", "learning_rate", "options", "loss",
    "optimiser", "package_version", "validation_psnr",
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Pictures this small only make threads wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_files_in_the_package_are_those_of_methods_and_together_small():
    found = set((HOME / "baselines" / "weights").glob("*"))
    known = {weights.path for weights in SHIPPED.values()}
    assert found <= known
    assert "ipl" in SHIPPED
    total = sum(path.stat().st_size for path in [*known, SHIPPED_CODERS])
    assert total <= LARGEST


@pytest.mark.parametrize("name", SHIPPED)
def test_a_file_states_how_it_came_to_be(name):
    weights = SHIPPED[name]
    assert weights.training.keys() >= TRAINING_FACTS
    assert weights.training["method"] == name
    if weights.record is None:  # made before files were made ready to be shipped
        assert name == "ipl"
        return
    assert "config" in weights.metadata
    assert name.startswith("ipl") or "conventions" in weights.metadata
    network = RECIPES[name].build(weights.training["options"])
    assert weights.record.parameters == sum(p.numel() for p in network.parameters())
    assert set(weights.record.validation.tracks) == {"paper", "camera"}
    stated = {str(t.dtype) for t in weights.content.values() if t.is_floating_point()}
    assert stated == {f"torch.{weights.record.storage}"}
    table = CARDS / "photographs.csv"
    assert weights.record.photographs == photographs_of(weights.training["data"], table)


@pytest.mark.parametrize("name", SHIPPED)
def test_default_weights_load_and_give_the_recorded_figures(name):
    weights = SHIPPED[name]
    method = resolve(name)()
    method.load(None, torch.device("cpu"))
    assert method.weights_sha256 == weights.sha256
    recorded = weights.check
    measured = measure(method, recorded.scenes, recorded.side, tuple(recorded.tracks))
    for track, figures in recorded.tracks.items():
        found = measured.tracks[track]
        assert found.psnr == pytest.approx(figures.psnr, abs=TOLERANCE.psnr)
        if figures.ssim is not None:
            assert found.ssim == pytest.approx(figures.ssim, abs=TOLERANCE.ssim)


def test_the_chunked_ahdrnet_has_the_same_weights():
    assert ChunkedAHDRNet.shipped_weights() == resolve("ahdrnet").shipped_weights()


def test_model_cards_are_those_of_the_files():
    """With them the hashes: whoever replaces a file has to write its card anew."""
    pages = model_cards(list(SHIPPED.values()))
    committed = {path.name: path.read_text("utf-8") for path in CARDS.glob("*.md")}
    assert committed == pages, "run `python -m dmef_bench.training.model_cards`"


def test_every_photograph_in_the_table_has_a_licence():
    licences = read_licences(CARDS / "photographs.csv")
    assert all(len(digest) == 64 and int(digest, 16) for digest in licences)
