import json
import sys
from io import BytesIO
from typing import NamedTuple

import numpy as np
import pytest
from dataset_folders import contents, copy
from PIL import Image

from dmef_bench.cli import main
from dmef_bench.dataset import Dataset, ResponseRecord, measures, open_dataset
from dmef_bench.dataset.contact_sheet import SCENES_A_PAGE, make_tile, render_pages
from dmef_bench.dataset.imported_records import ImportedDatasetRecord, ImportedSceneRecord
from dmef_bench.dataset.manifest import AnyManifest
from dmef_bench.dataset.records import PICTURES
from dmef_bench.dataset.statistics import FIGURES, dataset_scenes, look_at, spreads
from dmef_bench.errors import UsageError

FILES = {"contact-sheet-1.png", "motion.png", "clipping.png", "evs.png"}
MEASURED = ("flow_", "moving_", "white_", "black_")


class Finished(NamedTuple):
    code: int
    stdout: str
    stderr: str


@pytest.fixture
def stats(monkeypatch, capsys):
    """Run `dmef-bench stats` in this process."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["dmef-bench", "stats", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return Finished(ended.value.code, *capsys.readouterr())

    return call


@pytest.fixture(scope="module")
def earlier(three, tmp_path_factory):
    """The dataset of three clips as it was before scenes were measured, from a hostile name."""
    folder = copy(three, tmp_path_factory.mktemp("earlier") / "dataset")
    for path in folder.glob("*/metadata.jsonl"):
        rows = []
        for line in path.read_text().splitlines():
            row = json.loads(line)
            for name in ("place", "sharpness", "blur", "gt_phash"):
                del row[name]
            row = {name: row[name] for name in row if not name.startswith(MEASURED)}
            row["source"]["name"] = "\x1b[31m\u202e$x^$\n" + "ж" * 5000
            rows.append(json.dumps(row) + "\n")
        path.write_text("".join(rows))
    return folder


def test_the_table_names_every_figure(three, stats):
    done = stats(three, "-q")
    assert done.code == 0, done.stderr
    assert f"{three}: 2 train + 1 test scenes of 3 videos" in done.stdout
    for name in FIGURES:
        assert (f" {name} " in done.stdout) == (not name.startswith("camera_"))
    assert "not recorded" not in done.stdout


def test_no_figure_is_cut(three, stats, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert "\N{HORIZONTAL ELLIPSIS}" not in stats(three, "-q").stdout


def test_json_holds_every_scene(three, stats):
    report = json.loads(stats(three, "--format", "json", "-q").stdout)
    assert report["scenes"] == {"train": 2, "test": 1}
    assert (report["videos"], report["rejected"], report["files"]) == (3, 1, [])
    assert report["digest"] == open_dataset(three).digest
    line = json.loads((three / "test" / "metadata.jsonl").read_text())
    figures = report["by_scene"]["test/0001"]
    assert figures["flow_p95"] == max(line["flow_p95_12"], line["flow_p95_23"])
    assert figures["moving"] == min(line["moving_12"], line["moving_23"])
    assert figures["white_high"] == line["white_high"]
    assert figures["ev_low"] == -1.5
    spread = report["figures"]["blur"]
    values = sorted(each["blur"] for each in report["by_scene"].values())
    assert (spread["scenes"], spread["least"], spread["most"]) == (3, values[0], values[-1])
    assert spread["median"] == values[1]
    assert spread["mean"] == pytest.approx(np.mean(values))


def test_sheet_and_plots_are_written_beside_nothing_else(three, stats, tmp_path):
    before = contents(three)
    done = stats(three, "-o", tmp_path / "look", "-q")
    assert done.code == 0, done.stderr
    assert {path.name for path in (tmp_path / "look").iterdir()} == FILES
    for path in (tmp_path / "look").iterdir():
        assert str(path) in done.stdout
        Image.open(path).load()
    assert contents(three) == before
    (tmp_path / "look" / "contact-sheet-2.png").write_bytes(b"of a larger dataset")
    (tmp_path / "look" / "mine.png").write_bytes(b"mine")
    first = contents(tmp_path / "look")
    assert stats(three, "-o", tmp_path / "look", "-q", "--workers", "3").code == 0
    del first["contact-sheet-2.png"]
    assert contents(tmp_path / "look") == first


def test_nothing_is_written_into_a_dataset(three, stats, tmp_path):
    (tmp_path / "link").symlink_to(three)
    for output in (three, three / "look", tmp_path / "link" / "look"):
        done = stats(three, "-o", output)
        assert done.code == 2
        assert "inside the dataset" in done.stderr
    assert not (three / "look").exists()


def test_an_earlier_dataset_is_measured_where_its_pictures_show_it(earlier, three, stats, tmp_path):
    def looked_at(folder):
        return look_at(dataset_scenes(open_dataset(folder)), tiles=False, workers=1, quiet=True)[0]

    for old, new in zip(looked_at(earlier), looked_at(three), strict=True):
        for name, value in new.figures.items():
            gone = name in ("flow_mean", "flow_p95", "moving", "sharpness")
            assert old.figures[name] == (None if gone else value)
    done = stats(earlier, "-o", tmp_path / "look", "-q")
    assert done.code == 0, done.stderr
    assert "\nnot recorded: flow_mean, flow_p95, moving, sharpness\n" in done.stdout
    assert "\x1b[31m" not in done.stdout
    report = json.loads(stats(earlier, "--format", "json", "-q").stdout)
    assert set(report["not_recorded"]) >= {"flow_mean", "flow_p95", "moving", "sharpness"}


def test_a_damaged_picture_is_named(three, stats, tmp_path):
    folder = copy(three, tmp_path / "damaged")
    (folder / "test" / "0001" / "mid.png").write_bytes(b"other")
    done = stats(folder, "-o", tmp_path / "look", "-q")
    assert done.code == 4
    assert "test/0001/mid.png" in done.stderr
    assert not (tmp_path / "look").exists()


def test_more_scenes_than_a_page_holds():
    pictures = {name: np.full((50, 20, 3), 99, np.uint8) for name in ("low", "mid", "high", "gt")}
    figures = dict.fromkeys(FIGURES)
    tile = make_tile("train/0001", "a\nb\x1b[31m" + "x" * 9999, pictures, figures)
    assert "\n" not in tile.lines[0]
    assert "\x1b" not in tile.lines[0]
    assert tile.lines[1] == ""
    sizes = [Image.open(BytesIO(page)).size for page in render_pages([tile] * (SCENES_A_PAGE + 1))]
    assert len(sizes) == 2
    assert sizes[0][0] > 9 * sizes[1][0]


def test_an_imported_dataset_is_refused(tmp_path):
    names = {f"{picture}_file_name": f"0001/{picture}.tif" for picture in PICTURES}
    hashes = {f"{picture}_sha256": "0" * 64 for picture in PICTURES}
    scene = ImportedSceneRecord(
        scene="0001", source="x", **names, **hashes, width=8, height=8,
        evs=(-2, 0, 2), stated_evs=(-2, 0, 2), response=ResponseRecord(model="gamma"),
    )  # fmt: skip
    record = ImportedDatasetRecord(
        name="x", package_version="1", importer="folders", citation="x", settings={},
        scenes={"test": 1},
    )  # fmt: skip
    dataset = Dataset(tmp_path, AnyManifest(record, {"test": (scene,)}, {}))
    with pytest.raises(UsageError, match="imported"):
        dataset_scenes(dataset)


def test_spreads_of_nothing_are_none(three):
    scenes, tiles = look_at(dataset_scenes(open_dataset(three)), tiles=True, workers=2, quiet=True)
    assert len(tiles) == len(scenes) == 3
    found = spreads(scenes)
    assert found["camera_ev_low"] is None
    assert found["ev_mid"].least == found["ev_mid"].most == 0.5


def test_the_pictures_measured_are_those_on_disk(three):
    scene = open_dataset(three).scenes("test")[0]
    for picture in ("low", "mid", "high", "gt"):
        for name, value in measures.clipping(picture, scene.load_picture(picture)).items():
            assert getattr(scene.record, name) == value
    assert scene.record.blur == measures.blur(scene.load_ground_truth())
    assert scene.record.gt_phash == measures.perceptual_hash(scene.load_ground_truth())
