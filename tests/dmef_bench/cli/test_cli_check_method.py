import json

BAD = """
from baselines import Method, MethodInfo
class Dim(Method):
    info = MethodInfo("dim", "Dim", 2026, "", "MIT", "classical")
    def fuse(self, bracket):
        return bracket.reference - 0.5
"""


def test_a_good_method_ends_with_0_and_a_line_a_check(dmef_bench):
    ended = dmef_bench("check-method", "gdc")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert all(line.startswith("ok") for line in lines[:-1])
    assert lines[-1] == "gdc: keeps to the interface"


def test_a_bad_method_ends_with_1_and_says_what_is_wrong(dmef_bench, tmp_path):
    path = tmp_path / "dim.py"
    path.write_text(BAD)
    ended = dmef_bench("check-method", f"{path}:Dim")
    assert ended.code == 1
    assert "FAILED  fuses an ordinary bracket" in ended.out
    assert "outside [0, 1]" in ended.out
    assert "checks failed" in ended.out.splitlines()[-1]
    assert "Traceback" not in ended.out + ended.err


def test_json_holds_every_check(dmef_bench, tmp_path):
    path = tmp_path / "dim.py"
    path.write_text(BAD)
    ended = dmef_bench("check-method", f"{path}:Dim", "--format", "json")
    facts = json.loads(ended.out)
    assert ended.code == 1
    assert facts["passed"] is False
    assert {"loads": True, "fuses a batch": False}.items() <= {
        check["name"]: check["passed"] for check in facts["checks"]
    }.items()


def test_an_unknown_method_and_device_are_usage_errors(dmef_bench):
    ended = dmef_bench("check-method", "gcd")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "error: there is no method 'gcd'; did you mean gdc?\n"
    ended = dmef_bench("check-method", "gdc", "--device", "abacus")
    assert ended.code == 2
    assert "'abacus' is none of auto, cpu, cuda, cuda:N" in ended.err
