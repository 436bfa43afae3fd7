import json

import pytest
from hub_client import hub
from hub_server import TOKEN

__all__ = ["hub"]


def test_push_then_pull(dmef_bench, hub, dataset_folder, tmp_path):
    planned = dmef_bench("push", "org/name", "--data", dataset_folder, "--dry-run")
    assert planned.code == 0
    assert "org/name: would be created" in planned.out
    assert "21 of 21 files" in planned.out
    assert hub.repos == {}
    sent = dmef_bench("push", "org/name", "--data", dataset_folder, "--format", "json", "-q")
    assert sent.code == 0
    said = json.loads(sent.out)
    commit = hub.repos["org/name"].refs["main"]
    assert (said["revision"], said["created"], len(said["added"])) == (commit, True, 21)
    again = dmef_bench("push", "org/name", "--data", dataset_folder)
    assert "holds all 21 files already" in again.out
    fetched = dmef_bench("pull", "org/name@main", "-o", tmp_path / "copy")
    assert fetched.code == 0
    assert f"revision {commit}" in fetched.out
    assert f"digest {said['digest']}" in fetched.out
    there = dmef_bench("pull", "org/name@main", "-o", tmp_path / "copy", "--format", "json", "-q")
    assert json.loads(there.out)["fetched"] == 0
    assert json.loads(there.out)["revision"] == commit
    assert dmef_bench("verify", tmp_path / "copy").code == 0
    for ended in (planned, sent, again, fetched, there):
        assert TOKEN not in ended.out + ended.err


def test_the_default_folder_is_the_name(dmef_bench, hub, dataset_folder, tmp_path, monkeypatch):
    dmef_bench("push", "org/some-name", "--data", dataset_folder, "-q")
    monkeypatch.chdir(tmp_path)
    assert dmef_bench("pull", "org/some-name", "-q").code == 0
    assert (tmp_path / "some-name" / "dataset.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("pull", "org/absent"), 2),
        (("pull", "name"), 2),
        (("pull", "org/gated"), 3),
        (("pull", "org/damaged"), 4),
        (("pull", "org/empty"), 2),
    ],
)
def test_failures_end_with_one_sentence_and_their_code(
    dmef_bench, hub, dataset_folder, tmp_path, monkeypatch, arguments, code
):
    hub.put("org/gated", {"croissant.json": b"{}"}, gated=True)
    hub.put("org/damaged", {"croissant.json": b"{}"})
    hub.put("org/empty", {})
    monkeypatch.chdir(tmp_path)
    ended = dmef_bench(*arguments)
    assert ended.code == code
    assert ended.err.startswith("error: ")
    assert len(ended.err.splitlines()) == 1
    assert TOKEN not in ended.out + ended.err


def test_a_damaged_dataset_is_not_pushed(dmef_bench, hub, tmp_path):
    (tmp_path / "folder").mkdir()
    ended = dmef_bench("push", "org/name", "--data", tmp_path / "folder", "-q")
    assert ended.code == 4
    assert "nothing was pushed" in ended.err
    assert hub.log == []


def test_export(dmef_bench, dataset_folder, tmp_path):
    output = tmp_path / "shards"
    ended = dmef_bench(
        "export", "webdataset", dataset_folder, "-o", output, "--shard-size", "1MB", "-q",
        "--format", "json",
    )  # fmt: skip
    assert ended.code == 0
    said = json.loads(ended.out)
    assert said["shard_size"] == 1_000_000
    assert {shard["name"] for shard in said["shards"]} == {
        path.name for path in output.glob("*.tar")
    }
    shown = dmef_bench("export", "webdataset", dataset_folder, "-o", output, "--shard-size", "1MB")
    assert "0 of them written" in shown.out
    wrong = dmef_bench("export", "webdataset", dataset_folder, "-o", output, "--shard-size", "big")
    assert wrong.code == 2
