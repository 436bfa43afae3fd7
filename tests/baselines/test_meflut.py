"""MEFLUT: its tables, its guided upsampling, and fusion by strips against the steps one by one."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny_networks import tiny_network, without_shipped_weights, write_weights

from baselines import (
    Bracket,
    MethodError,
    WeightsError,
    WeightsMissingError,
    check_method,
    from_checkpoint,
    resolve,
)
from baselines.meflut import MEFLUT, MEFLUTConfig, read_tables, tables_of
from baselines.meflut.fusion import fuse_by_lines, guided_lines, small_luma
from baselines.meflut.tables import looked_up

CPU = torch.device("cpu")
EVS = (-1.5, 0.5, 2.5)
TINY = MEFLUTConfig(width=4, reduction=2)


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Pictures this small only wait for one another on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def folder(tmp_path):
    """Tables as the authors write them: from the brightest exposure, a comma after each number."""
    ramp = np.linspace(0, 1, 256)
    for number, table in enumerate((1 - ramp, np.full(256, 0.25), ramp * 1.2)):
        text = "".join(f"{value:.7g}," for value in table)
        (tmp_path / f"{number}_weight.txt").write_text(text)
    return tmp_path


def _network(seed=0, config=TINY):
    torch.manual_seed(seed)
    network = MEFLUT(config)
    for name, parameter in network.named_parameters():
        if name.endswith("w_1"):  # at first the instance norm counts for nothing
            torch.nn.init.constant_(parameter, 0.5)
    return network.eval()


def _images(height, width, batch=1, seed=1, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, 3, 3, height, width, generator=generator, dtype=dtype)


def _loaded(path):
    method = resolve("meflut")()
    method.load(path, CPU)
    return method


def test_keeps_every_promise_with_a_network_and_with_tables(folder, tmp_path):
    weights = write_weights(tmp_path / "w.safetensors", _network(), "meflut")
    for given in (weights, folder):
        results = check_method(resolve("meflut"), given)
        assert len(results) == 9
        assert [one for one in results if not one.passed] == []


def test_the_authors_tables_are_read_from_their_folder_or_one_of_them(folder):
    tables, sha256 = read_tables(folder)
    assert tables.shape == (3, 256)
    ramp = torch.linspace(0, 1, 256)
    torch.testing.assert_close(tables[0], (1.2 * ramp).clamp(max=1), atol=1e-6, rtol=0)
    torch.testing.assert_close(tables[2], 1 - ramp, atol=1e-6, rtol=0)
    assert _loaded(folder / "1_weight.txt").weights_sha256 == sha256
    assert _loaded(folder).network() is None


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("1_weight.txt", "0.5," * 255, r"1_weight\.txt: holds no 256 finite numbers"),
        ("2_weight.txt", "0.5," * 255 + "nan", r"2_weight\.txt: holds no 256 finite numbers"),
        ("0_weight.txt", "\x80" * 8, r"0_weight\.txt: holds no 256 finite numbers"),
        ("0_weight.txt", "1," * 40_000, r"0_weight\.txt: more than 65,536 bytes"),
        ("1_weight.txt", None, r"1_weight\.txt: there is no such file; give all three"),
        ("3_weight.txt", "0.5," * 256, "for more than 3 exposures"),
    ],
)
def test_damaged_tables_are_refused(folder, name, text, message):
    if text is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(text)
    with pytest.raises(WeightsError, match=message):
        _loaded(folder)


def test_wrong_weights_are_refused_in_a_sentence(folder, tmp_path):
    weightless = without_shipped_weights(resolve("meflut"), tmp_path)
    with pytest.raises(WeightsMissingError, match="meflut needs weights: give --weights FILE"):
        weightless().load(None, CPU)
    with pytest.raises(MethodError, match=r"call load\(\) before fuse\(\)"):
        resolve("meflut")().fuse(Bracket(_images(8, 8), EVS))
    with pytest.raises(WeightsError, match="tables are in files called 0_weight"):
        _loaded(folder / "weights.txt")
    save_file(dict(_network(config=MEFLUTConfig(4, 4, 2)).state_dict()), tmp_path / "4.safetensors")
    with pytest.raises(WeightsError, match="it weighs 4 exposures"):
        _loaded(tmp_path / "4.safetensors")
    other = write_weights(tmp_path / "sct.safetensors", tiny_network("sctnet"))
    with pytest.raises(WeightsError, match="of SCTNet, and meflut needs those of MEFLUT"):
        _loaded(other)


def test_a_network_is_recognised_with_its_sizes():
    config = MEFLUTConfig(frames=2, width=6, reduction=3)
    assert from_checkpoint(_network(config=config).state_dict()).config == config
    assert sum(p.numel() for p in MEFLUT().parameters()) == 89_303


def test_tables_are_the_network_s_answers_to_greys_of_any_size():
    network = _network()
    tables = tables_of(network)
    torch.testing.assert_close(tables.sum(0), torch.ones(256), atol=1e-6, rtol=0)
    grey = torch.full((1, 3, 21, 34), 77 / 255)
    with torch.no_grad():
        slope, offset = guided_lines(grey, network(grey))
    weights = (slope * grey + offset).abs()[0]
    expected = (weights / weights.sum(0)).flatten(1)
    torch.testing.assert_close(tables[:, 77:78].expand_as(expected), expected, atol=1e-5, rtol=0)


def test_loaded_weights_fuse_by_their_tables_alone(tmp_path):
    network = _network()
    bracket = Bracket(_images(20, 30), EVS)
    fused = _loaded(write_weights(tmp_path / "w.safetensors", network)).fuse(bracket)
    luma = small_luma(bracket.images)
    lines = guided_lines(luma, looked_up(tables_of(network), luma))
    torch.testing.assert_close(fused, fuse_by_lines(bracket.images, lines))


@pytest.mark.parametrize("size", [(1, 1), (5, 9), (150, 310), (259, 144)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_strips_are_the_steps_one_by_one(size, dtype, monkeypatch):
    """Against whole pictures in Y, Cb, Cr, with the lines stretched by `interpolate`."""
    monkeypatch.setattr("baselines.meflut.fusion._STRIP", 700)
    images = _images(*size, batch=2, dtype=dtype)
    luma = small_luma(images)
    assert min(luma.shape[-2:]) == min(128, *size)
    lines = guided_lines(luma, torch.rand_like(luma))
    slope, offset = (torch.nn.functional.interpolate(line, size, mode="bilinear") for line in lines)
    red, green, blue = images.unbind(2)
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    cb = 0.5 - 0.168736 * red - 0.331264 * green + 0.5 * blue
    cr = 0.5 + 0.5 * red - 0.418688 * green - 0.081312 * blue

    def mean(values, weights):
        return (values * weights).sum(1) / weights.sum(1)

    y = mean(y, (slope * y + offset).abs() + 1e-8)
    cb, cr = (mean(c, (c - 0.5).abs() + 1e-8) - 0.5 for c in (cb, cr))
    expected = torch.stack(
        (y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb), 1
    ).clamp(0, 1)
    for by_strips in (True, False):
        fused = fuse_by_lines(images, lines, by_strips)
        assert fused.dtype == dtype
        torch.testing.assert_close(fused, expected, atol=2e-6, rtol=0)


def test_the_guide_s_lines_are_those_of_least_squares():
    luma, weights = torch.rand(2, 1, 1, 9, 11, dtype=torch.float64)
    slope, offset = guided_lines(luma, weights)
    for row, column in ((4, 5), (0, 0), (8, 3)):
        window = (..., slice(max(0, row - 2), row + 3), slice(max(0, column - 2), column + 3))
        x, y = luma[window].flatten(), weights[window].flatten()
        system = torch.stack((torch.stack((x @ x / len(x) + 1, x.mean())),
                              torch.stack((x.mean(), torch.ones_like(x.mean())))))  # fmt: skip
        wanted = torch.linalg.solve(system, torch.stack((x @ y / len(x), y.mean())))
        found = torch.stack((slope[0, 0, row, column], offset[0, 0, row, column]))
        torch.testing.assert_close(found, wanted)


def test_the_better_exposed_picture_wins(folder):
    """A dark place is taken from the bright exposure, a bright place from the dark one."""
    scene = torch.full((1, 3, 40, 80), 0.02)
    scene[..., 40:] = 0.9
    exposures = [(scene * 2**ev).clamp(0, 1) for ev in (-1.5, 0.0, 3.0)]
    fused = _loaded(folder).fuse(Bracket(torch.stack(exposures, 1), (-1.5, 0.0, 3.0)))
    assert float(fused[..., :20].mean()) > 0.05
    assert float(fused[..., 60:].mean()) < 0.9


def test_a_small_picture_is_its_own_and_a_large_one_is_smooth():
    images = _images(30, 140)
    weights = images.new_tensor((0.299, 0.587, 0.114))[:, None, None]
    torch.testing.assert_close(small_luma(images), (images * weights).sum(2))
    ramp = torch.linspace(0, 1, 2048).expand(1, 3, 3, 1024, 2048)
    small = small_luma(ramp)
    assert small.shape == (1, 3, 128, 256)
    expected = (torch.arange(1, 255) + 0.5) / 256  # the ends lean on what lies outside
    torch.testing.assert_close(small[0, 0, 5, 1:-1], expected, atol=3e-4, rtol=0)


def test_training_reaches_every_parameter():
    network = _network()
    picture = resolve("meflut").infer(
        network, Bracket(_images(24, 32), EVS), resolve("meflut").authors
    )
    (picture - 0.5).abs().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert bool(torch.isfinite(parameter.grad).all())
