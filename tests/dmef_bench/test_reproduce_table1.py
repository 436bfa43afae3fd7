"""Table 1 on tiny networks and pictures: rows, parts, reasons, going on, quick, own scenes."""

import dataclasses
import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_networks import tiny_network

from baselines.conventions import Conventions
from dmef_bench.atomic_write import sha256_of_file
from dmef_bench.dataset import open_dataset
from dmef_bench.errors import UsageError
from dmef_bench.evaluation import WeightsMissingError
from dmef_bench.reproduce import Budget, Comparison, Request, contenders, reproduce
from dmef_bench.reproduce.own_scenes import GeneratedFrames, PhotographFrames, own_scenes
from dmef_bench.reproduce.weights_origin import WeightsOrigin
from dmef_bench.training.tensor_file import tensor_file
from leaderboard.published import TABLE_1

METHODS = ("copy-reference", "invert-response", "ahdrnet", "gdc")


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Networks this small only wait for one another on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def weights(path, data=None):
    """AHDRNet's, that say of their training what they are told."""
    training = {"step": 7, "batch": 2, "data": data or {"kind": "generated", "crop": 32}}
    metadata = {
        "method": "ahdrnet",
        "conventions": Conventions().to_json(),
        "training": json.dumps(training),
    }
    path.write_bytes(tensor_file(tiny_network("ahdrnet").state_dict(), metadata))
    return path


def request(folder, **more):
    comparison = Comparison(
        **{"methods": METHODS, "protocols": ("paper", "tiled"), "tracks": ("paper",), "tile": 32}
        | more.pop("comparison", {})
    )
    given = {"weights": {"ahdrnet": weights(folder / "ahdrnet.safetensors")}, "limit": 1}
    return Request(
        results=folder / "results", device="cpu", quiet=True, size=(48, 64),
        comparison=comparison, **given | more,
    )  # fmt: skip


def test_parts_rows_and_reasons(tmp_path):
    outcome = reproduce("table1", request(tmp_path))
    paper, tiled = outcome.sections
    printed, rows = outcome.part(paper)
    assert printed == ("MR", "PSNR", "SSIM", "LPIPS", "s", "MACs", "params")
    assert [row.method for row in rows] == ["copy-reference", "invert-response", "gdc", "ahdrnet"]
    assert all(row.status == "measured" for row in outcome.rows)
    ahdrnet = rows[-1]
    there = TABLE_1.row("ahdrnet")
    assert (ahdrnet.printed["PSNR"], ahdrnet.printed["MR"]) == (there.psnr, "256×256")
    assert ahdrnet.printed["MACs"] == "162.77M"
    # A picture smaller than MR is not enlarged.
    assert ahdrnet.measured["fed"] == "64×48"
    assert ahdrnet.measured["PSNR"] > 5 and ahdrnet.measured["MACs"] > 1e6
    said = " ".join(ahdrnet.reasons)
    assert "7 steps of 2 crops of 32×32: generated moving scenes. The authors'" in said
    assert "times the printed number" in said and "if its unit is G" in said
    assert "RTX 4090" in said and "LPIPS is n/a" in said
    no_printed, rows = outcome.part(tiled)
    assert no_printed == ()  # the paper has no tiles
    assert [row.method for row in rows] == ["copy-reference", "invert-response", "ahdrnet"]
    assert rows[-1].measured["fed"] == "32×32"
    assert "inverted response" in " ".join(outcome.notes)
    assert "1 scene of 64×48; the paper has 30 of 3840×2160." in outcome.notes


def test_it_goes_on_where_it_was_and_may_be_extended(tmp_path):
    first = request(tmp_path, comparison={"protocols": ("paper",)})
    outcome = reproduce("table1", first)
    folder = tmp_path / "results" / "table1"
    written = json.loads((folder / "table1.json").read_text())
    assert [row["measured"] for row in written["rows"]] == [r.measured for r in outcome.rows]
    assert written["settings"]["parts"] == "Track paper, protocol paper"
    assert ET.fromstring((folder / "figure1.svg").read_text()).tag.endswith("svg")
    assert "![Quality against speed](figure1.svg)" in (folder / "table1.md").read_text()
    runs = sorted(folder.glob("runs/*/*/*/samples.jsonl"))
    before = [path.stat().st_mtime_ns for path in runs]
    (lost,) = [path for path in runs if path.parts[-4].startswith("gdc")]
    lost.write_text(lost.read_text()[:40])  # half a line, as a kill may leave it
    more = dataclasses.replace(first, comparison=request(tmp_path).comparison)
    again = reproduce("table1", more)
    assert again.started == outcome.started and len(again.sections) == 2
    after = [path.stat().st_mtime_ns for path in runs]
    assert [now for now, path in zip(after, runs, strict=True) if path != lost] == [
        then for then, path in zip(before, runs, strict=True) if path != lost
    ]
    psnr = [row.measured["PSNR"] for row in again.part(again.sections[0])[1]]
    assert psnr == [row.measured["PSNR"] for row in outcome.rows]


def test_a_method_without_weights_is_trained_and_one_that_fails_stops_no_other(
    tmp_path, monkeypatch
):
    wanted = request(
        tmp_path, weights={}, budget=Budget(steps=2, batch=1, crop=32),
        comparison={"methods": ("copy-reference", "meflut", "ahdrnet"), "protocols": ("paper",)},
    )  # fmt: skip
    # Whatever ships by now: these have none.
    ready = contenders.ready_method

    def none_shipped(method, file, device):
        if file is None and method.info.kind == "learned":
            raise WeightsMissingError(f"{method.info.name} needs weights")
        return ready(method, file, device)

    monkeypatch.setattr(contenders, "ready_method", none_shipped)
    real = contenders.train_here

    def train(recipe, *rest):
        if recipe.name == "ahdrnet":
            raise RuntimeError("no more memory")
        return real(recipe, *rest)

    monkeypatch.setattr(contenders, "train_here", train)
    outcome = reproduce("table1", wanted)
    _, ahdrnet, meflut = outcome.rows
    assert meflut.status == "measured"
    assert "trained for this table: 2 steps of 1 crops of 32×32" in meflut.reasons[1]
    assert ahdrnet.status == "failed" and "no more memory" in ahdrnet.reasons[0]
    assert list(outcome.failed) == ["ahdrnet, Track paper, protocol paper"]
    assert any("MEFLUT; 2 steps of 1 crops" in note for note in outcome.notes)


def test_quick_has_a_folder_of_its_own_and_says_so(tmp_path):
    wanted = request(tmp_path, weights={}, comparison={"methods": METHODS[:2]})
    reproduce("table1", wanted)
    full = (tmp_path / "results/table1/table1.json").read_text()
    outcome = reproduce("table1", dataclasses.replace(wanted, quick=True, size=None, limit=None))
    assert (tmp_path / "results/table1/table1.json").read_text() == full
    folder = tmp_path / "results/table1-quick"
    assert json.loads((folder / "table1-quick.json").read_text())["quick"] is True
    page = (folder / "table1-quick.md").read_text()
    assert page.startswith("# table1, quick:") and "not to be quoted" in page
    assert "quick, not to be quoted" in (folder / "figure1.svg").read_text()
    assert "2 generated moving scenes of 320×180" in outcome.dataset


def test_a_dataset_and_what_can_not_be_used(tmp_path):
    folder = own_scenes(GeneratedFrames((60, 80), 1), tmp_path, quiet=True)
    few = {"methods": ("invert-response",), "protocols": ("paper",), "tracks": ()}
    wanted = request(tmp_path, data=folder, weights={}, comparison=few)
    outcome = reproduce("table1", wanted)
    assert "centre 64×48" in outcome.dataset and outcome.rows[0].measured["fed"] == "64×48"
    assert outcome.sections == ("Track paper, protocol paper", "Track camera, protocol paper")
    for change, words in (
        ({"weights": {"ipl": tmp_path}}, "table1 does not compare it"),
        ({"comparison": Comparison(methods=("ipk",))}, "there is no method 'ipk'"),
        ({"comparison": Comparison(photographs=tmp_path)}, "--test-photos"),
        ({"comparison": Comparison(methods=("gdc",), tracks=("dark",))}, "not dark"),
    ):
        with pytest.raises(UsageError, match=words):
            reproduce("table1", dataclasses.replace(wanted, **change))


def test_photographs_are_the_scenes_and_what_was_trained_on_them_is_said(tmp_path):
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    generator = np.random.default_rng(0)
    for name, side in (("a.png", 96), ("b.png", 96), ("small.png", 40)):
        pixels = generator.integers(0, 256, (side, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(photographs / name)
    known = sha256_of_file(photographs / "b.png")
    data = {
        "kind": "both tracks",
        "tracks": [
            {"kind": "mixture", "sources": [
                {"kind": "generated", "crop": 32},
                {"kind": "photographs", "crop": 32, "sha256": [known, "00"]},
            ]},
            {"kind": "generated", "crop": 32, "track": "camera"},
        ],
    }  # fmt: skip
    comparison = {"photographs": photographs, "methods": ("ahdrnet",), "protocols": ("paper",)}
    file = weights(tmp_path / "w.safetensors", data)
    wanted = request(tmp_path, limit=None, weights={"ahdrnet": file}, comparison=comparison)
    outcome = reproduce("table1", wanted)
    assert outcome.dataset.startswith("2 photographs set in motion, 64×48")
    assert any("small.png: 40×40 is less than 64×48" in note for note in outcome.notes)
    said = " ".join(outcome.rows[0].reasons)
    assert "1 of the 2 test photographs were among those" in said
    assert "2 photographs set in motion; half of all on the paper track" in said
    with pytest.raises(UsageError, match="none of its 3 photographs has 3840×2160"):
        PhotographFrames(photographs, (2160, 3840), None)


def test_own_scenes_are_a_dataset_and_are_gone_on_with(tmp_path):
    frames = GeneratedFrames((40, 56), 2)
    folder = own_scenes(frames, tmp_path, quiet=True)
    dataset = open_dataset(folder)
    assert dataset.tracks == ("paper", "camera") and dataset.scenes("train") == []
    first, second = dataset.scenes("test")
    assert first.load_bracket().images.shape == (1, 3, 3, 40, 56)
    assert dataset.scenes("test", "camera")[0].evs != first.evs
    truth = second.load_ground_truth()
    assert np.array_equal(truth, frames.frames(1)[1])
    kept = folder / "test" / "0001" / "gt.png"
    before = kept.stat().st_mtime_ns
    (folder / "dataset.json").unlink()
    (folder / "test" / "0002" / "scene.json").unlink()
    assert own_scenes(frames, tmp_path, quiet=True) == folder
    assert open_dataset(folder).digest == dataset.digest
    assert kept.stat().st_mtime_ns == before
    assert own_scenes(GeneratedFrames((40, 56), 3), tmp_path, quiet=True) != folder


@pytest.mark.parametrize(
    "training",
    [
        {},
        {"step": 3},
        {"step": "many", "data": {"kind": "generated"}},
        {"step": 3, "data": "words"},
        {"data": {"kind": "generated"}},
    ],
)
def test_weights_that_say_nothing_are_said_to(training):
    origin = WeightsOrigin("shipped", "ab" * 32, training)
    assert "does not say how" in origin.words() and origin.photographs == frozenset()
