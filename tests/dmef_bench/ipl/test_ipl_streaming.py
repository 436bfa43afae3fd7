"""Bands against whole pictures, and the bound on memory."""

import pickle

import numpy as np
import pytest
import torch
from own_process import run_python

from dmef_bench.ipl import IPL, IPLConfig
from dmef_bench.ipl.fast import engine
from dmef_bench.ipl.streaming import ArrayRows, _Stream, fuse_stream

SMALL = {
    "channels": 6, "blocks": 2, "factor": 2, "channel_block": 3, "width_block": 4,
    "height_block": 5, "drtm_size": 7,
}  # fmt: skip


def filled(config):
    torch.manual_seed(1)
    network = IPL(config).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3)
    return network


class TensorRows:
    def __init__(self, images):
        self.images = images
        self.height, self.width = images.shape[-2:]

    def read(self, top, bottom):
        assert 0 <= top < bottom <= self.height
        return self.images[:, :, top:bottom]


def streamed(network, source, **limits):
    pieces, expected = [], 0

    def write(first, rows):
        nonlocal expected
        assert first == expected
        expected += rows.shape[1]
        pieces.append(rows.clone())

    fuse_stream(network, source, write, **limits)
    assert expected == source.height
    return torch.cat(pieces, 1)


@pytest.mark.parametrize("band", [1, 2, 5, 100])
@pytest.mark.parametrize(
    "changes",
    [{}, {"lfe": "equation"}, {"final": "sum", "lfe": "equation"}, {"dimensions": "H"},
     {"drtm": False, "factor": 3}],
    ids=str,
)  # fmt: skip
def test_bands_give_the_whole_pictures_result(changes, band, monkeypatch):
    monkeypatch.setattr(_Stream, "_band_rows", lambda *_: band)
    monkeypatch.setattr(engine, "TILE_PIXELS", 20)
    network = filled(IPLConfig(**{**SMALL, **changes})).double()
    for size in [(16, 16), (41, 26), (22, 33)]:
        images = torch.rand(3, 3, *size, dtype=torch.float64)
        with torch.inference_mode():
            whole = network(images[None])[0]
        found = streamed(network, TensorRows(images))
        torch.testing.assert_close(found, whole, rtol=1e-9, atol=1e-9)


def test_memory_maps_are_read_by_rows(tmp_path):
    network = filled(IPLConfig(**SMALL))
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{name}.npy" for name in ("low", "mid", "high")]
    for path, dtype in zip(paths, (np.uint8, np.uint16, np.float32), strict=True):
        picture = rng.random((50, 40, 3))
        highest = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
        np.save(path, (picture * highest).astype(dtype))
    arrays = [np.load(path, mmap_mode="r") for path in paths]
    highest = (255, 65535, 1)
    images = torch.stack(
        [
            torch.from_numpy(a / h).float().movedim(-1, 0)
            for a, h in zip(arrays, highest, strict=True)
        ]
    )
    with torch.inference_mode():
        whole = network(images[None])[0]
    torch.testing.assert_close(streamed(network, ArrayRows(*arrays)), whole, rtol=1e-4, atol=1e-4)


def test_too_little_memory_says_how_much_is_needed():
    network = filled(IPLConfig(**SMALL))
    source = TensorRows(torch.rand(3, 3, 40, 40))
    with pytest.raises(ValueError, match=r"needs at least ([\d,]+) bytes") as caught:
        streamed(network, source, max_bytes=1000)
    needed = int(str(caught.value).split("at least ")[1].split(" ")[0].replace(",", ""))
    streamed(network, source, max_bytes=needed)
    with pytest.raises(ValueError, match="needs at least"):
        streamed(network, source, max_bytes=needed - 1)
    brought = pickle.loads(pickle.dumps(caught.value))  # as a pool of processes does
    assert str(brought) == str(caught.value)
    assert brought.needed == needed


def test_rows_of_the_wrong_size_are_named():
    class Short(TensorRows):
        def read(self, top, bottom):
            return super().read(top, bottom)[..., 1:]

    with pytest.raises(ValueError, match=r"rows 0 to \d+ are"):
        streamed(filled(IPLConfig(**SMALL)), Short(torch.rand(3, 3, 20, 20)))


@pytest.mark.parametrize(
    "wrong",
    [
        [np.zeros((4, 4, 3)), np.zeros((4, 5, 3)), np.zeros((4, 4, 3))],
        [np.zeros((4, 4))] * 3,
        [np.zeros((4, 4, 3), np.int32)] * 3,
    ],
    ids=["sizes", "grey", "dtype"],
)
def test_arrays_that_are_no_bracket_are_refused(wrong):
    with pytest.raises(ValueError, match=r"three \(H, W, 3\)|uint8, uint16"):
        ArrayRows(*wrong)


TALL = """
import torch
from pathlib import Path
from dmef_bench.ipl import IPL, IPLConfig
from dmef_bench.ipl.streaming import fuse_stream
torch.set_num_threads(1)

class Rows:
    width = 256
    def __init__(self, height): self.height = height
    def read(self, top, bottom): return torch.full((3, 3, bottom - top, 256), 0.5)

network = IPL(IPLConfig(blocks=1, drtm_size=8)).eval()
fuse_stream(network, Rows(600), lambda first, rows: None, max_bytes=100 * 2**20)
def peak():  # getrusage begins with the peak of the process that started this one
    return 1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])

before = peak()
fuse_stream(network, Rows(20000), lambda first, rows: None, max_bytes=100 * 2**20)
print(peak() - before)
"""


def test_peak_memory_stays_within_the_bound():
    """A picture whose exposures, features and result would take 300 MB as tensors."""
    done = run_python(TALL)
    assert done.code == 0, done.err
    assert int(done.out) < 110 * 2**20
