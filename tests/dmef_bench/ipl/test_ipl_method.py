import hashlib
import json

import pytest
import safetensors.torch
import torch

from baselines import Bracket
from baselines.method import WeightsError
from dmef_bench.ipl import IPL, IPLConfig, IPLMethod
from dmef_bench.ipl.weights_file import SHIPPED, network_metadata

TINY = IPLConfig(channels=8, blocks=2, channel_block=4, drtm_size=6, lfe="equation")
CPU = torch.device("cpu")


def write(path, network, **metadata):
    safetensors.torch.save_file(
        network.state_dict(), path, {**network_metadata(network), **metadata}
    )
    return path


def test_shipped_weights_load_and_say_how_they_were_trained():
    method = IPLMethod()
    method.load(None, CPU)
    assert method.weights_sha256 == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    assert method.network().config == IPLConfig()
    with safetensors.safe_open(SHIPPED, "pt") as opened:
        training = json.loads(opened.metadata()["training"])
    assert {"seed", "steps", "validation_psnr", "package_version"} <= training.keys()
    assert SHIPPED.stat().st_size < 4 * 2**20


def test_shipped_weights_undo_an_exposure_better_than_copying():
    """A smooth picture, exposed as on the paper track: the gain must lead back to the original."""
    from synth.camera_response import camera_response
    from synth.exposure import DEFAULT_EVS, expose

    response = camera_response("sigmoid")
    rows, columns = torch.meshgrid(
        torch.linspace(0, 1, 96), torch.linspace(0, 1, 128), indexing="ij"
    )
    truth = torch.stack([rows, columns, (rows + columns) / 2], -1) * 0.6 + 0.1
    exposures = [expose(truth.double().numpy(), ev, response) for ev in DEFAULT_EVS]
    images = torch.stack([torch.from_numpy(e).float().movedim(-1, 0) for e in exposures])[None]
    method = IPLMethod()
    method.load(None, CPU)
    fused = method.fuse(Bracket(images, DEFAULT_EVS))
    target = truth.movedim(-1, 0)[None]
    copied = (images[:, 1] - target).square().mean()
    assert (fused - target).square().mean() < copied / 10


def test_weights_bring_their_configuration(tmp_path):
    torch.manual_seed(0)
    network = IPL(TINY)
    torch.nn.init.normal_(network.up[0].weight)
    path = write(tmp_path / "tiny.safetensors", network)
    method = IPLMethod()
    method.load(path, CPU)
    images = torch.rand(2, 3, 3, 19, 23)
    assert method.network().config == TINY
    with torch.no_grad():
        expected = network(images).clamp(0, 1)
    torch.testing.assert_close(method.fuse(Bracket(images, (-1.5, 0.5, 2.5))), expected)
    half = method.fuse(Bracket(images.half(), (-1.5, 0.5, 2.5)))
    assert half.dtype == torch.float16


def test_checkpoints_of_torch_are_read_without_running_them(tmp_path):
    network = IPL()
    prefixed = {f"module.{name}": value for name, value in network.state_dict().items()}
    torch.save({"state_dict": prefixed, "epoch": 3}, tmp_path / "other.pth")
    method = IPLMethod()
    method.load(tmp_path / "other.pth", CPU)
    assert torch.equal(method.network().down[1].weight, network.down[1].weight)


class Bomb:
    def __reduce__(self):
        return (print, ("this must never be printed",))


def test_unsafe_pickles_are_refused(tmp_path, capsys):
    torch.save({"state_dict": Bomb()}, tmp_path / "bomb.pth")
    with pytest.raises(WeightsError, match="could run code"):
        IPLMethod().load(tmp_path / "bomb.pth", CPU)
    assert "never" not in capsys.readouterr().out


def broken_weights(tmp_path):
    network = IPL(TINY)
    state = network.state_dict()
    metadata = network_metadata(network)
    save = safetensors.torch.save

    def less(name):
        return {k: v for k, v in state.items() if k != name}

    nan = {**state, "up.0.bias": torch.full_like(state["up.0.bias"], float("nan"))}
    wide = {**state, "up.0.bias": torch.ones(7)}
    huge = {**metadata, "config": json.dumps({"channels": 10**9})}
    return {
        "missing": (save(less("up.0.bias"), metadata), "up.0.bias is missing"),
        "extra": (save({**state, "zoo": torch.ones(1)}, metadata), "zoo is not part"),
        "shape": (save(wide, metadata), r"up.0.bias is \(7,\) instead of"),
        "nan": (save(nan, metadata), "up.0.bias holds NaN"),
        "other-method": (save(state, {**metadata, "method": "ahdrnet"}), "'ahdrnet'"),
        "bad-config": (save(state, {"config": "{"}), "configuration"),
        "list-config": (save(state, {"config": "[1]"}), "configuration"),
        "huge-config": (save(state, huge), "configuration"),
        "truncated": (save(state, metadata)[:-9], "no readable checkpoint"),
        "empty": (b"", "no readable checkpoint"),
    }


@pytest.mark.parametrize(
    "kind",
    ["missing", "extra", "shape", "nan", "other-method", "bad-config", "list-config",
     "huge-config", "truncated", "empty"],
)  # fmt: skip
def test_weights_that_do_not_fit_are_named(tmp_path, kind):
    content, message = broken_weights(tmp_path)[kind]
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=message) as caught:
        IPLMethod().load(path, CPU)
    assert str(path) in str(caught.value)


def test_missing_and_foreign_files_are_named(tmp_path):
    with pytest.raises(WeightsError, match=r"nowhere\.safetensors"):
        IPLMethod().load(tmp_path / "nowhere.safetensors", CPU)
    (tmp_path / "notes.txt").write_text("no weights")
    with pytest.raises(WeightsError, match=r"notes\.txt"):
        IPLMethod().load(tmp_path / "notes.txt", CPU)


def test_fusing_before_loading_is_a_programming_error():
    with pytest.raises(RuntimeError, match="load"):
        IPLMethod().fuse(Bracket(torch.rand(1, 3, 3, 16, 16), (-1.5, 0.5, 2.5)))
