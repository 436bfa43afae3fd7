"""IPL in other runtimes: the exported function against the network, by onnxruntime."""

import importlib.util
import json
import sys

import pytest
import torch
from safetensors.torch import save_file

from dmef_bench.cli import main
from dmef_bench.errors import MissingError
from dmef_bench.ipl import IPL, AttentionCache, IPLConfig
from dmef_bench.ipl.export import AnySize, export_onnx, export_program
from dmef_bench.ipl.weights_file import network_metadata

SMALL = {
    "channels": 6, "blocks": 1, "factor": 4, "channel_block": 3, "width_block": 4,
    "height_block": 5, "drtm_size": 7,
}  # fmt: skip
onnxruntime_there = pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None, reason="onnxruntime is not installed"
)


def filled(**changes):
    torch.manual_seed(1)
    network = IPL(IPLConfig(**{**SMALL, **changes})).eval()
    torch.nn.init.normal_(network.up[0].weight, std=0.1)
    return network


def fused(network, images):
    with torch.inference_mode():
        return network(images).clamp(0, 1)


@pytest.mark.parametrize("reading", ["prose", "equation"])
def test_what_is_exported_is_the_network_at_every_odd_size(reading):
    network = filled(lfe=reading).double()
    module = AnySize(network)
    for height in range(16, 81, 7):
        for width in (16, 17, 42, 79):
            images = torch.rand(1, 3, 3, height, width, dtype=torch.float64)
            with torch.inference_mode():
                got = module(images)
            torch.testing.assert_close(got, fused(network, images), rtol=0, atol=1e-12)


def test_a_program_serves_every_size_and_batch_and_no_cache():
    network = filled(final="sum")
    cache = AttentionCache("position")
    network.use_cache(cache)
    network.train()
    program = export_program(network).module()
    assert network.attention_cache is cache
    assert network.training
    network.eval()
    network.use_cache(None)
    for shape in [(1, 16, 16), (3, 41, 50), (1, 17, 80)]:
        images = torch.rand(shape[0], 3, 3, *shape[1:])
        with torch.inference_mode():
            torch.testing.assert_close(program(images), fused(network, images))


@onnxruntime_there
def test_one_onnx_file_serves_every_size_and_batch(tmp_path):
    import onnxruntime

    network = filled()
    path = tmp_path / "ipl.onnx"
    export_onnx(network, path, metadata={"weights_sha256": "00ff"})
    session = onnxruntime.InferenceSession(str(path))
    for shape in [(1, 16, 16), (2, 41, 50), (1, 17, 80)]:
        images = torch.rand(shape[0], 3, 3, *shape[1:])
        (got,) = session.run(["fused"], {"images": images.numpy()})
        assert (torch.from_numpy(got) - fused(network, images)).abs().max() <= 1e-5
    kept = session.get_modelmeta().custom_metadata_map
    assert kept["method"] == "ipl" and kept["weights_sha256"] == "00ff"
    assert IPLConfig.from_json(kept["config"]) == network.config
    assert [p.name for p in tmp_path.iterdir()] == ["ipl.onnx"]


@onnxruntime_there
def test_the_command_exports_the_equation_reading_for_one_size(tmp_path, monkeypatch, capsys):
    import onnxruntime

    network = filled(lfe="equation")
    weights, output = tmp_path / "own.safetensors", tmp_path / "ipl.onnx"
    save_file(network.state_dict(), weights, network_metadata(network))

    def call(*options):
        command = ["dmef-bench", "export", "onnx", "-o", output, "--weights", weights, *options]
        monkeypatch.setattr(sys, "argv", [*map(str, command), "--precision", "fp16"])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr()

    code, said = call()
    assert code == 2 and "--size" in said.err and not output.exists()
    code, said = call("--size", "34x21", "--format", "json")
    assert code == 0
    facts = json.loads(said.out)
    assert facts["size"] == [21, 34] and facts["bytes"] == output.stat().st_size
    session = onnxruntime.InferenceSession(str(output))
    images = torch.rand(1, 3, 3, 21, 34)
    (got,) = session.run(["fused"], {"images": images.half().numpy()})
    exact = fused(network, images)
    assert (torch.from_numpy(got).float() - exact).norm() / exact.norm() <= 5e-3
    kept = session.get_modelmeta().custom_metadata_map
    assert kept["weights_sha256"] == facts["weights_sha256"]


def test_without_onnx_the_install_command_is_told(tmp_path, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxscript" else real(name)
    )
    with pytest.raises(MissingError, match=r"onnxscript.*dmef-bench\[export\]") as caught:
        export_onnx(filled(), tmp_path / "ipl.onnx")
    assert caught.value.exit_code == 3
    assert not (tmp_path / "ipl.onnx").exists()
