"""Pictures fused by strips through files, against the same pictures fused whole."""

import json

import numpy as np
import pytest
import tifffile
import torch
from own_process import run_python

from dmef_bench.errors import UsageError
from dmef_bench.fuse_by_strips import fuse_by_strips, must_stream, open_bracket
from dmef_bench.fuse_pictures import fuse_pictures
from dmef_bench.ipl import IPL, IPLConfig, IPLMethod
from dmef_bench.ipl.weights_file import network_metadata
from dmef_bench.picture_files import read_picture
from dmef_bench.training.tensor_file import tensor_file

SMALL = {
    "channels": 6, "blocks": 2, "factor": 2, "channel_block": 3, "width_block": 4,
    "height_block": 5, "drtm_size": 7,
}  # fmt: skip
ENOUGH = 200 * 2**20


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def method(tmp_path, lfe):
    torch.manual_seed(1)
    network = IPL(IPLConfig(**SMALL, lfe=lfe))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    path = tmp_path / f"{lfe}.safetensors"
    path.write_bytes(tensor_file(network.state_dict(), network_metadata(network)))
    made = IPLMethod()
    made.load(path, torch.device("cpu"))
    return made, path


def exposures(dtype=np.uint8, size=(83, 70)):
    random = np.random.default_rng(0)
    highest = np.iinfo(dtype).max
    smooth = np.linspace(0.1, 0.8, size[1])[:, None] * random.uniform(0.8, 1, (*size, 3))
    return [
        np.rint((smooth * 2.0**ev).clip(0, 1) * highest).astype(dtype) for ev in (-1.5, 0.2, 1.5)
    ]


def write(tmp_path, pictures, suffix=".tif", **layout):
    paths = tuple(tmp_path / f"{name}{suffix}" for name in ("low", "mid", "high"))
    for path, picture in zip(paths, pictures, strict=True):
        if suffix == ".npy":
            np.save(path, picture)
        else:
            tifffile.imwrite(path, picture, photometric="rgb", **layout)
    return paths


@pytest.mark.parametrize("lfe", ["prose", "equation"])
@pytest.mark.parametrize(
    ("dtype", "layout"),
    [
        (np.uint8, {"rowsperstrip": 5}),
        (np.uint16, {"tile": (16, 32), "compression": "zlib", "bigtiff": True}),
    ],
    ids=["8 bit strips", "16 bit compressed tiles"],
)
def test_strips_give_the_whole_pictures_result(tmp_path, lfe, dtype, layout):
    made, _ = method(tmp_path, lfe)
    pictures = exposures(dtype)
    whole = fuse_pictures(made, pictures, (-2, 0, 2))
    assert whole.std() > 0
    output = tmp_path / "out.tif"
    with open_bracket(write(tmp_path, pictures, **layout)) as bracket:
        # Little more than the least that is needed, so that there are many bands.
        with pytest.raises(UsageError, match="MiB are needed") as refused:
            fuse_by_strips(made.network(), bracket, output, 1000, quiet=True)
        assert not output.exists()
        needed = int(str(refused.value).rpartition(": ")[2].partition("MiB")[0].replace(",", ""))
        fuse_by_strips(made.network(), bracket, output, needed * 2**20, quiet=True)
    found = tifffile.imread(output)
    assert found.dtype == dtype
    assert np.abs(found.astype(int) - whole).max() <= 1


def test_the_command_line_takes_tiff_and_npy(dmef_bench, tmp_path):
    _, weights = method(tmp_path, "prose")
    results = []
    for suffix, output, options in [
        (".tif", "a.tif", ("--max-memory", "300MiB")),
        (".npy", "b.npy", ()),
        (".npy", "c.tif", ()),
        (".tif", "d.tif", ()),
    ]:
        paths = write(tmp_path, exposures(), suffix)
        ended = dmef_bench(
            "fuse", "--method", "ipl", "--weights", weights, *paths, "-o", tmp_path / output,
            "--ev=-2,0,2", "--format", "json", "-q", *options,
        )  # fmt: skip
        assert (ended.code, ended.err) == (0, "")
        facts = json.loads(ended.out)
        assert (facts["width"], facts["height"], facts["bits"]) == (70, 83, 8)
        assert ("max_memory" in facts) == (output != "d.tif")
        read = np.load if output.endswith(".npy") else read_picture
        results.append(read(tmp_path / output).astype(int))
    for other in results[1:]:
        assert np.abs(other - results[0]).max() <= 1


def test_kinds_of_files_decide_whether_strips_are_needed(tmp_path, monkeypatch):
    plain = write(tmp_path, exposures())
    assert not must_stream(plain, tmp_path / "out.tif")
    assert must_stream(plain, tmp_path / "out.npy")
    monkeypatch.setattr("dmef_bench.fuse_by_strips.MAX_PIXELS", 83 * 70 - 1)
    assert must_stream(plain, tmp_path / "out.tif")
    assert not must_stream(plain, tmp_path / "out.png")
    monkeypatch.undo()
    assert must_stream(write(tmp_path, exposures(), bigtiff=True), tmp_path / "out.tif")


@pytest.mark.parametrize(
    ("changes", "code", "complaint"),
    [
        ({"--max-memory": "much"}, 2, "--max-memory takes an amount of memory such as 512MiB"),
        ({"--max-memory": "1MiB"}, 2, "--max-memory is too small for pictures 70 wide"),
        ({"--device": "cuda"}, 2, "fusing by strips runs on the CPU"),
        ({"--method": "gdc"}, 2, "gdc can't fuse by strips"),
        ({"-o": "out.png"}, 2, "what is fused by rows is written as .tif, .tiff, .npy"),
        ({"high": "absent.tif"}, 4, "absent.tif: can't be read"),
        ({"high": "a.png"}, 2, "only TIFF and .npy files can be read by rows"),
        ({"low": "tiny.tif", "mid": "tiny.tif", "high": "tiny.tif"}, 2, "70×15 are too small"),
        ({"high": "cut.tif"}, 4, "cut.tif: cut short"),
        ({"high": "inverted.tif"}, 4, "1 samples a pixel of kind MINISWHITE; RGB or grey"),
        ({"--ev": ""}, 2, "--ev takes three rising numbers"),
        ({"high": "other.npy"}, 2, "the exposures of a bracket need one size"),
    ],
)
def test_mistakes_end_with_one_line(dmef_bench, tmp_path, monkeypatch, changes, code, complaint):
    monkeypatch.chdir(tmp_path)
    low, mid, high = write(tmp_path, exposures())
    (tmp_path / "cut.tif").write_bytes(high.read_bytes()[:-5])
    np.save("other.npy", exposures()[0][1:])
    tifffile.imwrite("tiny.tif", exposures(size=(15, 70))[0], photometric="rgb")
    tifffile.imwrite("inverted.tif", exposures()[0][..., 0], photometric="miniswhite")
    options = {"--method": "ipl", "-o": "out.tif", "--max-memory": "1GiB"} | changes
    given = {"low": low, "mid": mid, "high": high}
    paths = [options.pop(name, path) for name, path in given.items()]
    ended = dmef_bench("fuse", *paths, "-q", *(part for pair in options.items() for part in pair))
    assert ended.code == code
    assert complaint in ended.err
    assert ended.err.count("\n") == 1
    assert not any(path.name.startswith(("out", ".out")) for path in tmp_path.iterdir())


BOUND = 150 * 2**20
CHILD = """
import sys, torch
from pathlib import Path
from dmef_bench.fuse_by_strips import fuse_by_strips, open_bracket
from dmef_bench.ipl import IPL, IPLConfig
torch.set_num_threads(1)
network = IPL(IPLConfig(blocks=1, drtm_size=8)).eval()
small, large = (
    [Path(sys.argv[1], f"{size}-{n}.tif") for n in range(3)] for size in ("small", "large")
)
def peak():  # getrusage begins with the peak of the process that started this one
    return 1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
def fuse(paths):
    with open_bracket(paths) as bracket:
        fuse_by_strips(network, bracket, Path(sys.argv[1], "out.tif"), int(sys.argv[2]), quiet=True)
fuse(small)
before = peak()
fuse(large)
print(peak() - before)
"""


def test_peak_memory_of_the_process_stays_within_the_bound(tmp_path):
    """Exposures, features and result would take 400 MB as tensors; compressed in tiles on disk."""
    picture = np.zeros((16000, 512, 3), np.uint8)
    for n in range(3):
        layout = {"photometric": "rgb", "tile": (256, 256), "compression": "zlib"}
        tifffile.imwrite(tmp_path / f"small-{n}.tif", picture[:300] + 50 * n, **layout)
        tifffile.imwrite(tmp_path / f"large-{n}.tif", picture + 50 * n, **layout)
    done = run_python(CHILD, tmp_path, BOUND)
    assert done.code == 0, done.err
    assert int(done.out) < BOUND + 16 * 2**20
