"""Authors' checkpoints in small: weights, inputs and the outputs of their own code."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from baselines import WeightsError, from_checkpoint
from baselines.ahdrnet import AHDRNet, AHDRNetConfig
from baselines.fshdr import BridgeNet, BridgeNetConfig
from baselines.hdr_transformer import HDRTransformer
from baselines.sctnet import SCTNet

GOLDEN = Path(__file__).parents[1] / "golden"
NAMES = ("ahdrnet", "hdr_transformer", "sctnet")


def _golden(name):
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        tensors = {key: torch.from_numpy(arrays[key]) for key in arrays.files}
    state = {key.removeprefix("state/"): t for key, t in tensors.items() if key.startswith("state")}
    state = {key: t.long() if t.dtype == torch.int16 else t for key, t in state.items()}
    return state, [tensors[f"input/{index}"] for index in range(3)], tensors["output"]


def _wrapped(state):
    return {"epoch": 7, "state_dict": {f"module.{key}": value for key, value in state.items()}}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["bare", "wrapped", "pth", "safetensors"])
def test_every_form_of_checkpoint_gives_the_authors_output(tmp_path, name, form):
    state, inputs, output = _golden(name)
    source = {"bare": state, "wrapped": _wrapped(state)}.get(form)
    if form == "pth":
        source = tmp_path / "authors.pth"
        torch.save(_wrapped(state), source)
    elif form == "safetensors":
        source = tmp_path / "authors.safetensors"
        save_file({key: value.contiguous() for key, value in state.items()}, source)
    with torch.no_grad():
        result = from_checkpoint(source)(*inputs)
    assert result.shape == output.shape
    torch.testing.assert_close(result, output, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("network", "parameters"),
    [(AHDRNet, 1_515_139), (BridgeNet, 1_833_603), (HDRTransformer, 1_222_113), (SCTNet, 994_555)],
)
def test_full_size_has_the_authors_number_of_parameters(network, parameters):
    assert sum(parameter.numel() for parameter in network().parameters()) == parameters


def test_the_papers_table_1_counts_follow_from_three_channel_inputs():
    """FSHDR's and AHDRNet's 1.8284 M and 1.2398 M (unused convolutions not counted)."""

    def count(network):
        return sum(parameter.numel() for parameter in network.parameters())

    assert count(BridgeNet(BridgeNetConfig(inputs=3))) == 1_828_419
    small = AHDRNetConfig(inputs=3, dense_layers=5, attention_convolution=False)
    assert count(AHDRNet(small)) == 1_239_779


def test_bridgenet_is_recognised_and_is_what_its_equations_say():
    torch.manual_seed(0)
    network = BridgeNet(BridgeNetConfig(features=4))
    state = network.state_dict()
    x = torch.rand(1, 18, 13, 17)

    def layer(name, inputs, slope, dilation=1):
        out = torch.nn.functional.conv2d(
            inputs, state[f"{name}.weight"], state[f"{name}.bias"],
            padding=dilation, dilation=dilation,
        )  # fmt: skip
        return torch.where(out > 0, out, slope * out)

    x1, x2, x3 = (layer(f"a.{i}", part, 0.2) for i, part in enumerate(x.chunk(3, 1)))
    s1 = layer("s_a.0", torch.cat((x1, x2), 1), 0.2)
    s2 = layer("s_a.1", torch.cat((x2, x3), 1), 0.2)
    for stage in "bc":
        x1, x2, x3 = (layer(f"{stage}.{i}", part, 0.2) for i, part in enumerate((x1, x2, x3)))
        s1, s2 = (
            layer(f"s_{stage}.0", torch.cat((x1, x2, s1), 1), 0.2),
            layer(f"s_{stage}.1", torch.cat((x2, x3, s2), 1), 0.2),
        )
    trunk = torch.cat((x2, s1, s2), 1)
    first = torch.cat([layer(f"sdc1.conv{d}", trunk, 0.3, d) for d in (1, 2, 3)], 1)
    wide = torch.cat((trunk, first), 1)
    second = torch.cat([layer(f"sdc2.conv{d}", wide, 0.3, d) for d in (1, 2, 3)], 1)
    last = torch.nn.functional.conv2d(
        torch.cat((trunk, first, second), 1), state["out.weight"], state["out.bias"], padding=1
    )
    loaded = from_checkpoint(state)
    assert isinstance(loaded, BridgeNet)
    torch.testing.assert_close(loaded(x), torch.sigmoid(last), atol=1e-6, rtol=0)


def test_hdr_transformer_says_which_sizes_it_takes():
    state, _, _ = _golden("hdr_transformer")
    with pytest.raises(ValueError, match="multiples of 8, got 12×16"):
        from_checkpoint(state)(*[torch.zeros(1, 6, 12, 16)] * 3)


def test_a_wrong_checkpoint_names_the_nearest_network_and_what_differs():
    state, _, _ = _golden("sctnet")
    with pytest.raises(WeightsError, match=r"nearest is \S+, \d+ of its tensors are missing"):
        from_checkpoint({"encoder.weight": torch.zeros(3)})
    renamed = dict(state)
    renamed["norm_.weight"] = renamed.pop("norm.weight")
    with pytest.raises(WeightsError, match=r"SCTNet.*norm\.weight.*norm_\.weight"):
        from_checkpoint(renamed)
    reshaped = dict(state)
    reshaped["upsample.0.weight"] = torch.zeros(5, 24, 3, 3)
    with pytest.raises(WeightsError, match=r"looks like SCTNet.*upsample\.0\.weight"):
        from_checkpoint(reshaped)


def test_another_order_of_positions_is_refused():
    state, _, _ = _golden("hdr_transformer")
    key = next(key for key in state if key.endswith("relative_position_index"))
    with pytest.raises(WeightsError, match="unknown order"):
        from_checkpoint({**state, key: state[key].flip(0)})


class _Touch:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_that_would_run_code_is_refused_before_it_does(tmp_path):
    trace = tmp_path / "ran"
    torch.save({"state_dict": _Touch(trace)}, tmp_path / "hostile.pth")
    with pytest.raises(WeightsError, match=r"hostile\.pth: refused"):
        from_checkpoint(tmp_path / "hostile.pth")
    assert not trace.exists()


@pytest.mark.parametrize("name", ["absent.pth", "text.safetensors", "text.pth"])
def test_unreadable_files_are_named(tmp_path, name):
    if not name.startswith("absent"):
        (tmp_path / name).write_text("no weights here")
    with pytest.raises(WeightsError, match=name.replace(".", r"\.")):
        from_checkpoint(tmp_path / name)
