"""Hugging Face `datasets` opens what this package builds, with no network and from a Hub."""

import hashlib
import json
import os
import subprocess
import sys

import pytest
from hub_client import hub
from hub_server import TOKEN

from dmef_bench.dataset import BuildSettings, build_dataset, open_dataset
from dmef_bench.dataset.hub import push
from dmef_bench.dataset.records import OTHER_PICTURES, PICTURES
from dmef_bench.picture_files import read_picture

__all__ = ["hub"]

SCRIPT = """
import hashlib, json, sys
import datasets, numpy
opened = []
for arguments in json.loads(sys.argv[1]):
    loaded = datasets.load_dataset(*arguments[0], **arguments[1])
    features = loaded["train"].features
    pictures = [name for name in features if isinstance(features[name], datasets.Image)]
    opened.append({
        "pictures": pictures,
        "others": [name for name in features if name not in pictures],
        "rows": {
            split: [
                [row["scene"]]
                + [hashlib.sha256(numpy.asarray(row[name]).tobytes()).hexdigest()
                   for name in pictures]
                for row in rows
            ]
            for split, rows in loaded.items()
        },
    })
print(json.dumps(opened))
"""


def _opened(home, *arguments, **environment):
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(arguments)],
        env={**os.environ, "HF_HOME": str(home), **environment},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def _expected(folder, pictures):
    dataset = open_dataset(folder)
    return {
        split: [
            [scene.record.scene]
            + [
                hashlib.sha256(
                    read_picture(folder / split / scene.record.pictures()[name][0]).tobytes()
                ).hexdigest()
                for name in pictures
            ]
            for scene in dataset.scenes(split)
        ]
        for split in dataset.record.scenes
    }


@pytest.fixture(scope="module")
def nine(three_clips, tmp_path_factory):
    """The dataset of three clips with all nine pictures a scene."""
    output = tmp_path_factory.mktemp("datasets") / "nine"
    build_dataset(three_clips, output, BuildSettings(min_height=100, all_exposures=True))
    return output


def test_offline_by_folder_and_by_path(three, nine, tmp_path):
    folders = (three, nine)
    opened = _opened(
        tmp_path,
        *(
            call
            for folder in folders
            for call in ([["imagefolder"], {"data_dir": str(folder)}], [[str(folder)], {}])
        ),
        HF_HUB_OFFLINE="1",
        HF_DATASETS_OFFLINE="1",
    )
    for index, folder in enumerate(folders):
        pictures = PICTURES + (OTHER_PICTURES if folder == nine else ())
        for found in opened[2 * index : 2 * index + 2]:
            assert set(found["pictures"]) == set(pictures)
            assert {"scene", "evs", "response", "source", "motion", "gt_sha256"} <= set(
                found["others"]
            )
            assert found["rows"] == _expected(folder, found["pictures"])
            assert {split: len(rows) for split, rows in found["rows"].items()} == {
                "train": 2, "test": 1,
            }  # fmt: skip


def test_from_a_hub_by_its_name(hub, three, tmp_path):
    push("org/three", three)
    (found,) = _opened(
        tmp_path / "home",
        [["org/three"], {}],
        HF_ENDPOINT=hub.endpoint,
        HF_HUB_DISABLE_XET="1",
        HF_TOKEN=TOKEN,
    )
    assert found["rows"] == _expected(three, found["pictures"])


def test_the_card_shows_a_scene_and_names_the_splits(three):
    import yaml

    _, header, text = (three / "README.md").read_text().split("---\n", 2)
    files = yaml.safe_load(header)["configs"][0]["data_files"]
    assert files == [
        {"split": "train", "path": "train/**"}, {"split": "test", "path": "test/**"},
    ]  # fmt: skip
    shown = [part.partition("]")[0] for part in text.split("![")[1:]]
    assert shown == list(PICTURES)
    for picture in PICTURES:
        assert f"![{picture}](test/0001/{picture}.png)" in text
        assert (three / "test" / "0001" / f"{picture}.png").is_file()
