import pytest

from baselines import check_method, resolve
from baselines.registry import BUILT_IN

HEAD = """
import torch
from baselines import Method, MethodInfo, SizeRule
class Plug(Method):
    info = MethodInfo("plug", "Plug", 2026, "", "MIT", "classical"{more})
"""
# What fuse does -> the checks that must see it.
BAD_FUSE = {
    "return bracket.reference[..., :-1]": "fuses an ordinary bracket",
    "return bracket.images": "fuses an ordinary bracket",
    "return bracket.reference / 0 * 0": "fuses an ordinary bracket",
    "return bracket.reference * 1.001": "fuses an ordinary bracket",
    "return bracket.reference - 0.001": "fuses an ordinary bracket",
    "return bracket.reference.double()": "fuses an ordinary bracket",
    "return bracket.reference.to('meta')": "fuses an ordinary bracket",
    "return bracket.reference.numpy()": "fuses an ordinary bracket",
    "return bracket.images.mul_(0.5)[:, 1]": "fuses an ordinary bracket",
    "raise KeyError('no such layer')": "fuses an ordinary bracket",
    "return bracket.response.brightness_transform(1, 2)": "fuses an ordinary bracket",
    "assert bracket.size[0] % 8 == 0; return bracket.reference": "fuses odd sizes",
    "return torch.nn.functional.interpolate(torch.nn.functional.avg_pool2d("
    "bracket.reference, 2), scale_factor=2.0)": "fuses odd sizes",
    "assert min(bracket.size) > 8; return bracket.reference": "fuses its smallest size",
    "x = bracket.reference; return (x / x.amax()).clamp(0, 1)": "fuses flat pictures",
    "assert len(bracket.images) == 1; return bracket.reference": "fuses a batch",
    "x = bracket.reference; return x * 0.5 + x.mean() * 0.5": "fuses a batch",
    "return torch.rand_like(bracket.reference)": "repeats itself",
    "self.calls = getattr(self, 'calls', 0) + 1; "
    "return bracket.reference * min(1.0, self.calls / 50)": "repeats itself",
}


@pytest.fixture
def plug(tmp_path):
    def written(body, more=""):
        path = tmp_path / "plug.py"
        path.write_text(HEAD.format(more=more) + body)
        return resolve(f"{path}:Plug")

    return written


def failed(results):
    return {result.name: result.detail for result in results if not result.passed}


@pytest.mark.parametrize(
    "name", [name for name in BUILT_IN if resolve(name).info.kind != "learned"]
)
def test_every_built_in_method_without_weights_keeps_to_the_interface(name):
    assert failed(check_method(resolve(name))) == {}


def test_a_good_method_passes_with_every_check_named(plug):
    results = check_method(plug("    def fuse(self, bracket): return bracket.reference.clone()"))
    assert failed(results) == {}
    assert len({result.name for result in results}) == len(results) == 9


@pytest.mark.parametrize("statement", BAD_FUSE)
def test_each_fault_is_caught_by_its_check(plug, statement):
    found = failed(check_method(plug(f"    def fuse(self, bracket): {statement}")))
    assert BAD_FUSE[statement] in found
    assert all(found.values())


def test_an_exception_is_named_in_one_line(plug):
    body = "    def fuse(self, bracket): raise ValueError('two\\nlines')"
    found = failed(check_method(plug(body)))
    assert found["fuses an ordinary bracket"] == "raised ValueError: two lines"


def test_the_size_rule_is_taken_at_its_word(plug):
    body = "    def fuse(self, bracket):\n        assert bracket.size[0] % 8 == 0\n"
    body += "        assert min(bracket.size) >= 16\n        return bracket.reference.clone()"
    assert failed(check_method(plug(body, ", size=SizeRule(minimum=16, multiple=8)"))) == {}
    assert "fuses odd sizes" in failed(check_method(plug(body, ", size=SizeRule(minimum=16)")))
    smaller = failed(check_method(plug(body, ", size=SizeRule(multiple=8)")))
    assert list(smaller) == ["fuses its smallest size"]


def test_a_method_that_says_it_is_random_need_not_repeat_itself(plug):
    body = "    def fuse(self, bracket): return bracket.reference * (1 - 1e-4 * torch.rand(1))"
    assert "repeats itself" in failed(check_method(plug(body)))
    assert failed(check_method(plug(body, ", deterministic=False"))) == {}


def test_weights_left_at_random_are_caught(plug):
    body = """
    def __init__(self):
        super().__init__()
        self.gain = torch.rand(1)
    def fuse(self, bracket): return bracket.reference * self.gain
"""
    assert "loaded anew" in failed(check_method(plug(body)))["repeats itself"]


@pytest.mark.parametrize(
    ("load", "complaint"),
    [
        ("raise OSError('no weights here')", "raised OSError: no weights here"),
        ("self.device = torch.device('meta')", "its device attribute is meta"),
    ],
)
def test_a_failing_load_is_the_only_result(plug, load, complaint):
    body = "    def fuse(self, bracket): return bracket.reference\n"
    results = check_method(plug(body + f"    def load(self, weights, device): {load}"))
    assert [result.name for result in results] == ["loads"]
    assert complaint in results[0].detail


@pytest.mark.parametrize(
    ("more", "body"),
    [
        (", size=SizeRule(multiple=0)", ""),
        ("", "    def network(self): return 'resnet'\n"),
    ],
)
def test_a_wrong_description_is_caught(plug, more, body):
    body += "    def fuse(self, bracket): return bracket.reference.clone()"
    assert "is described" in failed(check_method(plug(body, more)))


def test_a_response_is_given_only_to_methods_that_need_it(plug):
    body = "    def fuse(self, bracket):\n        assert bracket.response is None\n"
    body += "        return bracket.reference.clone()"
    assert failed(check_method(plug(body))) == {}
    assert "fuses a batch" in failed(check_method(plug(body, ", needs_response=True")))
