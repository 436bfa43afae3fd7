import json

from baselines.registry import BUILT_IN
from dmef_bench.evaluation.baseline_costs import BaselineCost


def test_lists_every_method_on_a_line(dmef_bench):
    ended = dmef_bench("methods")
    assert ended.code == 0
    assert ended.err == ""
    names = [line.split()[0] for line in ended.out.splitlines()]
    assert names[: len(BUILT_IN) + 1] == ["name", *BUILT_IN]
    assert "ipl" in names


def test_lists_them_as_json(dmef_bench):
    found = {one["name"]: one for one in json.loads(dmef_bench("methods", "--format", "json").out)}
    assert found["invert-response"]["needs_response"] is True
    assert found["gdc"]["kind"] == "classical"
    assert found["gdc"]["size"] == {"minimum": 1, "multiple": 1}
    assert (found["gdc"]["weights"], found["ipl"]["weights"]) == (None, "shipped")
    assert found["sctnet"]["weights"] in ("shipped", "--weights")


def test_a_broken_plug_in_is_listed_with_the_reason(dmef_bench, tmp_path, monkeypatch):
    facts = tmp_path / "snapped-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: snapped\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[dmef_bench.methods]\nsnapped = no_such_module:X\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    ended = dmef_bench("methods")
    assert ended.code == 0
    last = ended.out.splitlines()[-1]
    assert last.startswith("snapped can't be used:")
    assert "no_such_module" in last
    listed = json.loads(dmef_bench("methods", "--format", "json").out)
    assert "no_such_module" in next(one for one in listed if one["name"] == "snapped")["error"]


def test_costs_stand_beside_the_papers(dmef_bench, monkeypatch):
    costs = json.loads(dmef_bench("methods", "--cost", "--format", "json").out)
    matches = {one["method"]: (one["macs_match"], one["parameters_match"]) for one in costs}
    assert matches == {
        "ahdrnet": (True, True),
        "fshdr": (True, True),
        "hdr-transformer": (True, True),
        "sctnet": (True, True),
        "bracketire": (False, False),
    }
    full = {one["method"]: one["full_parameters"] for one in costs}
    assert full["ahdrnet"] == 1_515_139
    assert full["bracketire"] == 13_285_704
    counted = [BaselineCost(**one) for one in costs]  # to count again would take as long again
    monkeypatch.setattr("dmef_bench.cli.methods_cost.baseline_costs", lambda: counted)
    lines = dmef_bench("methods", "--cost").out.splitlines()
    assert [line.split()[0] for line in lines[1:6]] == list(matches)
