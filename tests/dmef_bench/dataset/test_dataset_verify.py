import hashlib
import json
import os

import pytest
from dataset_folders import contents, copy

from dmef_bench.dataset import open_dataset, verify
from dmef_bench.errors import UsageError


@pytest.fixture
def dataset(three, tmp_path):
    return copy(three, tmp_path / "dataset")


def _problems(dataset):
    return {(problem.kind, problem.name) for problem in verify(dataset, workers=2).problems}


def _rewrite_croissant(dataset, change):
    """Alter croissant.json as somebody would who knows how its own bytes are covered."""
    path = dataset / "croissant.json"
    document = json.loads(path.read_text())
    change(document)
    document["identifier"] = f"sha256:{'0' * 64}"
    text = json.dumps(document, indent=1) + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(text.replace("0" * 64, digest, 1))


def test_a_whole_dataset_has_no_problem(three):
    report = verify(three, workers=2)
    assert report.ok
    assert report.digest == open_dataset(three).digest
    assert report.files == 17
    assert report.size == sum(map(len, contents(three).values()))


def test_an_altered_byte_in_any_file_is_found(dataset):
    names = [name for name, content in contents(dataset).items() if content]
    assert len(names) == 17
    for name in names:
        path = dataset / name
        whole = path.read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            found = verify(dataset).problems
            assert any(name in (problem.name, problem.detail) or name in problem.detail
                       for problem in found), (name, place, found)  # fmt: skip
        path.write_bytes(whole)
    assert verify(dataset).ok


def test_every_byte_of_croissant_json_counts(dataset):
    path = dataset / "croissant.json"
    whole = path.read_bytes()
    for place in range(0, len(whole), 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert not verify(dataset).ok, place


def test_missing_and_extra_files_are_found(dataset):
    (dataset / "train" / "0001" / "low.png").unlink()
    (dataset / "train" / "0001" / "new.png").write_bytes(b"")
    (dataset / ".hidden").write_text("")
    (dataset / "test" / "metadata.jsonl.bak").write_text("")
    assert _problems(dataset) == {
        ("missing", "train/0001/low.png"),
        ("extra", "train/0001/new.png"),
        ("extra", ".hidden"),
        ("extra", "test/metadata.jsonl.bak"),
    }


@pytest.mark.parametrize("name", ["dataset.json", "croissant.json", "test/metadata.jsonl"])
def test_a_missing_manifest_is_found(dataset, name):
    (dataset / name).unlink()
    assert any(name in problem.detail for problem in verify(dataset).problems)


def test_appended_and_truncated_files_are_found(dataset):
    for name, size in (("train/0001/mid.png", 100), ("test/0001/gt.png", -1)):
        with (dataset / name).open("r+b") as file:
            file.truncate((dataset / name).stat().st_size + size)
    assert _problems(dataset) == {
        ("altered", "train/0001/mid.png"),
        ("altered", "test/0001/gt.png"),
    }


def test_links_are_named_and_not_followed(dataset, tmp_path):
    picture, folder = dataset / "train" / "0001" / "gt.png", dataset / "train" / "0002"
    picture.rename(tmp_path / "gt.png")
    picture.symlink_to(tmp_path / "gt.png")
    folder.rename(tmp_path / "0002")
    folder.symlink_to(tmp_path / "0002")
    (dataset / "dangling").symlink_to("/nowhere")
    assert _problems(dataset) == {
        ("link", "train/0001/gt.png"),
        ("link", "train/0002"),
        ("link", "dangling"),
        *(("missing", f"train/0002/{name}.png") for name in ("low", "mid", "high", "gt")),
    }


def test_a_pipe_is_not_read(dataset):
    (dataset / "train" / "0001" / "gt.png").unlink()
    os.mkfifo(dataset / "train" / "0001" / "gt.png")
    os.mkfifo(dataset / "pipe")
    assert _problems(dataset) == {("altered", "train/0001/gt.png"), ("extra", "pipe")}


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "train/../../x.png", "a\\b.png"])
def test_a_croissant_that_leaves_the_folder_is_refused_by_name(dataset, name):
    _rewrite_croissant(
        dataset, lambda document: document["distribution"][3].update(contentUrl=name)
    )
    report = verify(dataset)
    assert not report.ok
    details = [problem.detail for problem in report.problems]
    assert any(repr(name) in detail for detail in details), details


@pytest.mark.parametrize("name", ["../../secret.png", "/etc/passwd", "0002/gt.png", "0001/x.png"])
def test_metadata_that_leaves_its_scene_is_refused_by_name(dataset, name):
    path = dataset / "train" / "metadata.jsonl"
    lines = path.read_text()
    path.write_text(lines.replace('"gt_file_name":"0001/gt.png"', f'"gt_file_name":"{name}"'))
    details = [problem.detail for problem in verify(dataset).problems if problem.kind == "manifest"]
    assert any(repr(name) in detail for detail in details), details


def test_a_rewritten_croissant_still_contradicts_the_rest(dataset):
    picture = dataset / "train" / "0001" / "gt.png"
    picture.write_bytes(picture.read_bytes() + b"\0")

    def change(document):
        for entry in document["distribution"]:
            if entry["@id"] == "train/0001/gt.png":
                entry["sha256"] = hashlib.sha256(picture.read_bytes()).hexdigest()
                entry["contentSize"] = f"{picture.stat().st_size} B"

    _rewrite_croissant(dataset, change)
    assert _problems(dataset) == {("manifest", "train/0001/gt.png")}


def test_files_that_are_listed_but_no_part_of_a_dataset(dataset):
    (dataset / "run.sh").write_text("echo")

    def change(document):
        digest = hashlib.sha256(b"echo").hexdigest()
        document["distribution"] = [
            entry for entry in document["distribution"] if entry["@id"] != "test/0001/low.png"
        ]
        document["distribution"].append(
            {"contentUrl": "run.sh", "contentSize": "4 B", "sha256": digest}
        )

    _rewrite_croissant(dataset, change)
    assert _problems(dataset) == {
        ("manifest", "run.sh"),
        ("manifest", "test/0001/low.png"),
        ("extra", "test/0001/low.png"),
    }


def test_names_are_made_printable(dataset):
    (dataset / "a\x1b[31m\nb").write_text("")
    (dataset / os.fsdecode(b"\xff")).write_text("")
    assert _problems(dataset) == {("extra", "a\\x1b[31m\\nb"), ("extra", "\\xff")}


def test_what_is_no_dataset(tmp_path):
    with pytest.raises(UsageError, match="no such folder"):
        verify(tmp_path / "absent")
    (tmp_path / "photo.jpg").write_text("")
    details = " ".join(problem.detail for problem in verify(tmp_path).problems)
    assert "dataset.json: missing" in details
