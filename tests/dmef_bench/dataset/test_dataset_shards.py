import hashlib
import json
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import webdataset
from dataset_folders import contents, copy

from dmef_bench.dataset import open_dataset
from dmef_bench.dataset.shards import export_shards
from dmef_bench.errors import IntegrityError, UsageError

DISTURBED = Path(__file__).with_name("disturbed_build.py")
# One scene of the clips' size in a shard.
SMALL = 250_000


@pytest.fixture(scope="module")
def exported(three, tmp_path_factory):
    """The dataset of three clips in three shards. Not to be altered."""
    output = tmp_path_factory.mktemp("shards") / "output"
    export_shards(three, output, shard_size=SMALL)
    return output


def test_webdataset_reads_every_picture_and_line(exported, three):
    dataset = open_dataset(three)
    for split in ("train", "test"):
        shards = sorted(map(str, exported.glob(f"{split}-*.tar")))
        assert len(shards) == len(dataset.scenes(split))
        samples = list(
            webdataset.WebDataset(shards, shardshuffle=False, nodesplitter=None).decode("rgb8")
        )
        for scene, sample in zip(dataset.scenes(split), samples, strict=True):
            assert sample["__key__"] == scene.record.scene
            assert sample["json"] == json.loads(scene.record.as_line())
            for picture in scene.record.pictures():
                assert np.array_equal(sample[f"{picture}.png"], scene.load_picture(picture))


def test_the_list_holds_what_is_there(exported, three):
    listed = json.loads((exported / "shards.json").read_text())
    assert listed["digest"] == open_dataset(three).digest
    sums = dict(
        reversed(line.split("  ")) for line in (exported / "SHA256SUMS").read_text().splitlines()
    )
    for shard in listed["shards"]:
        content = (exported / shard["name"]).read_bytes()
        assert len(content) == shard["size"] <= SMALL
        assert sums.pop(shard["name"]) == shard["sha256"] == hashlib.sha256(content).hexdigest()
    assert sums == {}
    assert {path.name for path in exported.iterdir()} == {
        "train-000000.tar", "train-000001.tar", "test-000000.tar", "shards.json", "SHA256SUMS",
    }  # fmt: skip


def test_nothing_of_this_machine_is_in_a_shard(exported):
    with tarfile.open(exported / "train-000000.tar") as tar:
        members = tar.getmembers()
    assert [member.name for member in members] == [
        "0001.low.png", "0001.mid.png", "0001.high.png", "0001.gt.png", "0001.json",
    ]  # fmt: skip
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {
        (0, 0, 0, "", "", 0o644)
    }


def test_large_shards_hold_whole_splits(three, tmp_path):
    report = export_shards(three, tmp_path / "output")
    assert [(shard.name, shard.scenes) for shard in report.listed.shards] == [
        ("train-000000.tar", 2), ("test-000000.tar", 1),
    ]  # fmt: skip
    size = report.listed.shards[0].size
    exact = export_shards(three, tmp_path / "exact", shard_size=size)
    assert exact.listed.shards[0].scenes == 2
    less = export_shards(three, tmp_path / "less", shard_size=size - 1)
    assert less.listed.shards[0].scenes == 1
    tiny = export_shards(three, tmp_path / "tiny", shard_size=1)
    assert [shard.scenes for shard in tiny.listed.shards] == [1, 1, 1]


def test_exported_again_nothing_is_written(exported, three, tmp_path):
    output = copy(exported, tmp_path / "output")
    assert export_shards(three, output, shard_size=SMALL).written == 0
    path = output / "train-000001.tar"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    assert export_shards(three, output, shard_size=SMALL).written == 1
    assert contents(output) == contents(exported)


def test_killed_anywhere_then_finished_is_as_undisturbed(exported, three, tmp_path):
    output, counter, codes = tmp_path / "output", tmp_path / "counter", []
    while not codes or codes[-1]:
        counter.unlink(missing_ok=True)
        codes.append(
            subprocess.run(
                [
                    sys.executable, DISTURBED, "export", "webdataset", three, "-o", output,
                    "--shard-size", str(SMALL), "-q",
                ],
                env={**os.environ, "ACCIDENT": "kill", "N": "5", "COUNTER": str(counter)},
                check=False, timeout=60,
            ).returncode
        )  # fmt: skip
    # First after two of three shards, then after all but the removal of the work folder.
    assert codes[:-1] == [-signal.SIGKILL] * 2
    assert contents(output) == contents(exported)


def test_an_altered_picture_ends_it_and_what_is_finished_is_kept(exported, three, tmp_path):
    dataset, output = copy(three, tmp_path / "dataset"), tmp_path / "output"
    picture = dataset / "test" / "0001" / "gt.png"
    whole = picture.read_bytes()
    picture.write_bytes(whole[:-1] + b"\0")
    with pytest.raises(IntegrityError, match=r"test/0001/gt\.png: altered"):
        export_shards(dataset, output, shard_size=SMALL)
    assert not (output / "shards.json").exists()
    picture.write_bytes(whole)
    assert export_shards(dataset, output, shard_size=SMALL).written == 1
    assert contents(output) == contents(exported)


def test_other_folders_are_refused(exported, three, extended, tmp_path):
    output = copy(exported, tmp_path / "output")
    with pytest.raises(UsageError, match="shards of 250,000 bytes"):
        export_shards(three, output)
    with pytest.raises(UsageError, match="holds an export of"):
        export_shards(extended, output, shard_size=SMALL)
    with pytest.raises(UsageError, match="is no part of this export"):
        export_shards(three, extended)
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "train-000000.tar").symlink_to("/etc/hostname")
    with pytest.raises(UsageError, match="is no part of this export"):
        export_shards(three, tmp_path / "link", shard_size=SMALL)
    with pytest.raises(UsageError, match="a file"):
        export_shards(three, output / "shards.json")
    with pytest.raises(UsageError, match="no such folder"):
        export_shards(tmp_path / "absent", tmp_path / "new")
    with pytest.raises(UsageError, match="at least 1 byte"):
        export_shards(three, tmp_path / "new", shard_size=0)
    (output / "shards.json").write_text("{}")
    with pytest.raises(IntegrityError, match=r"shards\.json: damaged"):
        export_shards(three, output, shard_size=SMALL)


def test_nothing_is_written_into_the_dataset(three, tmp_path):
    dataset = copy(three, tmp_path / "dataset")
    with pytest.raises(UsageError, match="inside the dataset"):
        export_shards(dataset, dataset / "shards")
    assert contents(dataset) == contents(three)
