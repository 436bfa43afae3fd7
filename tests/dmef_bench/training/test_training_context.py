import json

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from dmef_bench.ipl import IPL, IPLConfig
from dmef_bench.training.brackets import bracket_of
from dmef_bench.training.context import CONTEXT_SIDE, CropInContext, InContext, InContextOnDevice
from dmef_bench.training.generated import GeneratedScenes
from dmef_bench.training.on_device import PaperExposures, PicturePool, ScenesOnDevice
from dmef_bench.training.recipes import find_recipe
from dmef_bench.training.samples import Batches, SampleKey

CPU = torch.device("cpu")
READINGS = [
    {}, {"final": "sum"}, {"lfe": "equation"}, {"residual": False}, {"drtm": False},
    {"drtm_size": 7},
]  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Pictures this small are not worth more, least of all on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def network_of(**changes):
    torch.manual_seed(0)
    fields = {"channels": 8, "channel_block": 4, "blocks": 3, "drtm_size": 12} | changes
    network = IPL(IPLConfig(**fields))
    torch.nn.init.normal_(network.up[0].weight, std=0.1)
    return network


@pytest.mark.parametrize("changes", READINGS)
@pytest.mark.parametrize("size", [(48, 64), (45, 50)])
def test_a_crop_that_is_the_whole_picture_is_fused_as_it_always_is(changes, size):
    network, images = network_of(**changes), torch.rand(2, 3, 3, *size)
    whole = torch.tensor([[0.0, 0.0, 1.0, 1.0]] * 2)
    torch.testing.assert_close(network(images, images, whole), network(images))


def test_a_crop_in_its_context_is_fused_as_in_the_picture_and_alone_it_is_not():
    """Exactly so away from the borders, which convolutions reach, as blocks are pointwise."""
    network, picture = network_of(), torch.rand(1, 3, 3, 96, 128) ** 2
    picture[..., 64:] *= 0.2
    place = torch.tensor([[32 / 96, 64 / 128, 48 / 96, 64 / 128]])
    crop = picture[..., 32:80, 64:128]
    inside = (..., slice(8, -8), slice(8, -8))
    expected = network(picture)[..., 32:80, 64:128]
    torch.testing.assert_close(network(crop, picture, place)[inside], expected[inside])
    assert (network(crop)[inside] - expected[inside]).abs().max() > 1e-3


def test_the_map_learns_through_the_context():
    network, images = network_of(), torch.rand(1, 3, 3, 32, 32)
    context = torch.rand(1, 3, 3, 64, 64)
    network(images, context, torch.tensor([[0.0, 0.5, 0.5, 0.5]])).sum().backward()
    for block in network.blocks:
        assert all(mixer.weight.grad.abs().sum() > 0 for mixer in block.drtm.mixers)


def test_samples_are_crops_of_their_source_with_all_of_it_reduced():
    source = GeneratedScenes(200)
    cropped = InContext(source, 64)
    for step in range(2):
        key = SampleKey(1, step, 0)
        whole, sample = source.sample(key), cropped.sample(key)
        top, left, height, width = (round(200 * share) for share in sample.place)
        assert (height, width) == (64, 64)
        window = (..., slice(top, top + 64), slice(left, left + 64))
        np.testing.assert_array_equal(sample.images, whole.images[window])
        np.testing.assert_array_equal(sample.target, whole.target[window])
        assert sample.context.shape == (3, 3, CONTEXT_SIDE, CONTEXT_SIDE)
        assert sample.context.dtype == np.uint8
        means = whole.images.mean((-2, -1)), sample.context.mean((-2, -1))
        np.testing.assert_allclose(*means, atol=1)
    assert json.loads(json.dumps(cropped.description())) == cropped.description()
    assert cropped.description() != source.description()


def test_a_small_whole_is_its_own_context():
    source = GeneratedScenes(64)
    sample = InContext(source, 48).sample(SampleKey(0, 0, 0))
    np.testing.assert_array_equal(sample.context, source.sample(SampleKey(0, 0, 0)).images)


def test_batches_bring_context_from_any_number_of_workers_and_recipes_use_it():
    batches = Batches(InContext(GeneratedScenes(64), 32), 3, 2, 2)
    alone, shared = (
        list(DataLoader(batches, batch_size=None, num_workers=workers)) for workers in (0, 2)
    )
    for one, other in zip(alone, shared, strict=True):
        assert torch.equal(one.context, other.context) and torch.equal(one.place, other.place)
    bracket = bracket_of(alone[0], GeneratedScenes(64), CPU)
    assert isinstance(bracket, CropInContext) and bracket.context.shape == (2, 3, 3, 64, 64)
    recipe, network = find_recipe("ipl"), network_of()
    told = recipe.predict(network, bracket)
    assert recipe.context and told.shape == (2, 3, 32, 32)
    assert (told != network(bracket.images)).any()


def test_batches_on_the_device_are_cut_in_the_same_way():
    picture = np.random.default_rng(0).integers(0, 256, (1, 300, 300, 3), dtype=np.uint8)
    pool = PicturePool([picture], CPU)
    source = ScenesOnDevice(pool, 0, 200, PaperExposures(CPU), {})
    cropped = InContextOnDevice(source, 50)
    whole, batch = source.batch(0, 4, 3), cropped.batch(0, 4, 3)
    assert batch.context.shape == (3, 3, 3, CONTEXT_SIDE, CONTEXT_SIDE)
    assert batch.evs == whole.evs and cropped.track == source.track
    for slot in range(3):
        top, left = (round(200 * float(share)) for share in batch.place[slot, :2])
        window = (..., slice(top, top + 50), slice(left, left + 50))
        assert torch.equal(batch.images[slot], whole.images[slot][window])
        assert torch.equal(batch.target[slot], whole.target[slot][window])
