import re
import tomllib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from baselines import Bracket, WeightsError, check_method, resolve

PAGE = Path(__file__).parents[2] / "docs" / "writing-a-method.md"


def block(language, start):
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (found,) = [text for text in blocks if text.startswith(start)]
    return found


@pytest.fixture
def template(tmp_path):
    path = tmp_path / "softmax_fusion.py"
    path.write_text(block("python", '"""Average'))
    return resolve(f"{path}:SoftmaxFusion")


def test_the_template_keeps_to_the_interface(template):
    assert [one for one in check_method(template) if not one.passed] == []


def test_the_template_reads_its_weights_and_no_others(template, tmp_path):
    bracket = Bracket(torch.rand(1, 3, 3, 8, 8), (-2.0, 0.0, 2.0))
    save_file({"sharpness": torch.tensor(0.0)}, tmp_path / "mean.safetensors")
    method = template()
    method.load(tmp_path / "mean.safetensors", torch.device("cpu"))
    assert torch.allclose(method.fuse(bracket), bracket.images.mean(dim=1), atol=1e-6)
    save_file({"conv": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=r"other\.safetensors"):
        method.load(tmp_path / "other.safetensors", torch.device("cpu"))


def test_the_python_example_runs(capsys):
    exec(block("python", "from baselines import check_method"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all(line.startswith("True ") for line in lines)


def test_the_entry_point_names_the_template(template):
    entries = tomllib.loads(block("toml", "[project]"))["project"]["entry-points"]
    assert entries["dmef_bench.methods"] == {
        template.info.name: f"softmax_fusion:{template.__name__}"
    }


def test_every_command_on_the_page_exists():
    from dmef_bench.cli.main import VERBS

    named = set(re.findall(r"dmef-bench ([a-z-]+)", PAGE.read_text()))
    assert named
    assert named <= set(VERBS)
