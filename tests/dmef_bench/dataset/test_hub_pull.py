import hashlib
import json
import shutil
import signal
import time
from dataclasses import replace

import pytest
from bracketed_media import write_scene
from dataset_folders import contents, copy
from hub_client import elsewhere, hub
from hub_server import TOKEN

from dmef_bench.dataset import build_dataset, open_dataset, verify
from dmef_bench.dataset.hub import pull, push, read_origin
from dmef_bench.dataset.importers import find_kalantari, import_dataset
from dmef_bench.errors import IntegrityError, MissingError, UsageError

__all__ = ["elsewhere", "hub"]


@pytest.fixture
def shared(hub, three):
    """The Hub with the dataset of three clips as org/three."""
    push("org/three", three)
    hub.log.clear()
    return hub


@pytest.fixture
def impatient(monkeypatch):
    """A client that gives up a connection soon."""
    monkeypatch.setattr("dmef_bench.dataset.hub.download._ATTEMPTS", 2)


def _pulled(folder):
    """The folder's files, without the note where they came from."""
    return {name: data for name, data in contents(folder).items() if name != ".dmef-origin.json"}


def _put(hub, dataset, change=None, extra=None):
    """Another commit of org/three, with a croissant.json that was altered and fits itself."""
    files = {name: content for name, content in contents(dataset).items() if content}
    document = json.loads(files["croissant.json"])
    if change is not None:
        change(document)
    document["identifier"] = f"sha256:{'0' * 64}"
    text = json.dumps(document, indent=1) + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    files["croissant.json"] = text.replace("0" * 64, digest, 1).encode()
    return hub.put("org/three", files | (extra or {}))


def _until(true):
    for _ in range(600):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("waited for a minute")


def _picture_requests(hub):
    return [path for path in hub.requests("GET", "/resolve/") if path.endswith(".png")]


def test_what_is_pulled_is_what_was_pushed(shared, three, tmp_path):
    output = tmp_path / "output"
    report = pull("org/three", output)
    commit = shared.repos["org/three"].refs["main"]
    assert _pulled(output) == contents(three)
    assert verify(output).ok
    assert open_dataset(output).digest == report.digest == open_dataset(three).digest
    assert (report.files, report.fetched) == (17, 17)
    assert report.size == report.received == sum(map(len, contents(three).values()))
    assert read_origin(output) == report.origin
    assert (report.origin.requested, report.origin.commit) == (None, commit)
    assert all(f"/resolve/{commit}/" in path for path in shared.requests("GET", "/resolve/"))


def test_no_token_goes_to_another_host(shared, tmp_path):
    pull("org/three", tmp_path / "output")
    tokens = {token for _, path, _, token in shared.log if path.startswith("/cdn/")}
    assert tokens == {None}
    assert {token for _, path, _, token in shared.log if "/resolve/" in path} == {TOKEN}


def test_pulled_again_it_is_only_looked_at(shared, three, tmp_path):
    output = tmp_path / "output"
    pull("org/three", output)
    shared.log.clear()
    report = pull("org/three", output)
    assert report.fetched == 0
    assert len(shared.log) == 3
    assert _pulled(output) == contents(three)


def test_a_built_dataset_that_is_the_same(shared, three, tmp_path):
    output = copy(three, tmp_path / "output")
    assert pull("org/three", output).fetched == 0
    assert read_origin(output).repository == "org/three"


def test_missing_and_altered_files_are_fetched_again(shared, three, tmp_path):
    output = tmp_path / "output"
    pull("org/three", output)
    (output / "train" / "0001" / "gt.png").unlink()
    (output / "test" / "0001" / "low.png").write_bytes(b"other")
    shared.log.clear()
    pull("org/three", output)
    assert len(_picture_requests(shared)) == 2
    assert _pulled(output) == contents(three)


def test_branches_tags_and_commits(shared, three, extended, tmp_path):
    old = shared.repos["org/three"].refs["main"]
    shared.repos["org/three"].refs["v1"] = old
    new = push("org/three", extended).commit
    for revision, commit, dataset in (("v1", old, three), ("main", new, extended),
                                      (old, old, three)):  # fmt: skip
        output = tmp_path / revision
        report = pull(f"org/three@{revision}", output)
        assert (report.origin.requested, report.origin.commit) == (revision, commit)
        assert _pulled(output) == contents(dataset)


def test_connections_that_break_are_gone_on_with(shared, three, tmp_path):
    largest = max(map(len, contents(three).values()))
    shared.wrong.cut_after = largest // 2
    report = pull("org/three", tmp_path / "output")
    assert _pulled(tmp_path / "output") == contents(three)
    assert report.received == report.size, "no byte twice"
    assert any(asked for _, _, asked, _ in shared.log)


def test_a_busy_hub_is_asked_again(shared, three, tmp_path):
    shared.wrong.busy = 4
    pull("org/three", tmp_path / "output")
    assert _pulled(tmp_path / "output") == contents(three)
    assert len(shared.requests("GET", "/resolve/")) == 17 + 4


def test_an_imported_dataset_goes_the_same_way(hub, tmp_path):
    for split, seed in (("Training", 1), ("Test", 2)):
        write_scene(tmp_path / "kalantari" / split / "scene", seed)
    dataset = tmp_path / "dataset"
    import_dataset(find_kalantari(tmp_path / "kalantari"), dataset)
    push("org/name", dataset, others_pictures=True)
    assert pull("org/name", tmp_path / "output").files == 2 * 4 + 5
    assert _pulled(tmp_path / "output") == contents(dataset)


def test_a_dead_connection_leaves_a_pull_to_go_on_with(shared, three, tmp_path, impatient):
    output = tmp_path / "output"
    shared.wrong.cut_after = 0
    with pytest.raises(MissingError, match="can't be reached"):
        pull("org/three", output)
    with pytest.raises(IntegrityError, match="pull was interrupted"):
        open_dataset(output)
    shared.wrong.cut_after = None
    pull("org/three", output)
    assert _pulled(output) == contents(three)


def test_altered_bytes_are_caught_and_what_is_whole_is_kept(
    shared, three, three_clips, settings, tmp_path
):
    output = tmp_path / "output"
    picture = (three / "train" / "0002" / "high.png").read_bytes()
    shared.wrong.altered.add(hashlib.sha256(picture).hexdigest())
    with pytest.raises(IntegrityError, match=r"train/0002/high\.png: the Hub's bytes are not"):
        pull("org/three", output)
    assert not (output / "train" / "0002" / "high.png").exists()
    assert not (output / "dataset.json").exists()
    with pytest.raises(IntegrityError, match="pull was interrupted"):
        open_dataset(output)
    assert ("unfinished", ".dmef-pull") in {
        (problem.kind, problem.name) for problem in verify(output).problems
    }
    with pytest.raises(UsageError, match="pull was interrupted here"):
        build_dataset(three_clips, output, settings)
    shared.wrong.altered.clear()
    shared.log.clear()
    assert pull("org/three", output).fetched == 1 + 5
    assert len(_picture_requests(shared)) == 1
    assert _pulled(output) == contents(three)


@pytest.mark.parametrize("name", ["README.md", "dataset.json", "train/metadata.jsonl"])
def test_altered_texts_are_caught(shared, three, tmp_path, name):
    entry = shared.repos["org/three"].commits[shared.repos["org/three"].refs["main"]][name]
    shared.wrong.altered.add(entry.blob)
    with pytest.raises(IntegrityError, match=name):
        pull("org/three", tmp_path / "output")
    assert _picture_requests(shared) == []


def test_a_file_that_never_ends_is_cut_off(shared, three, tmp_path):
    picture = (three / "train" / "0001" / "low.png").read_bytes()
    shared.wrong.endless.add(hashlib.sha256(picture).hexdigest())
    with pytest.raises(IntegrityError, match=r"train/0001/low\.png: the Hub sends more"):
        pull("org/three", tmp_path / "output")
    parts = tmp_path / "output" / ".dmef-pull" / "parts"
    assert all(path.stat().st_size <= len(picture) for path in parts.iterdir())


def test_killed_then_gone_on_with_at_the_same_commit(shared, three, extended, elsewhere, tmp_path):
    output, commit = tmp_path / "output", shared.repos["org/three"].refs["main"]
    shared.wrong.halt_at = 12
    process = elsewhere("pull", "org/three", "-o", output, "-q", "--workers", "1")
    assert shared.wrong.halted.wait(60)
    _until(lambda: any(part.stat().st_size for part in output.glob(".dmef-pull/parts/*")))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    shared.wrong.go.set()
    with pytest.raises(IntegrityError, match="pull was interrupted"):
        open_dataset(output)
    assert len(list(output.rglob("*/*.png"))) == 12 - 5 - 1
    push("org/three", extended)
    shared.log.clear()
    again = elsewhere("pull", "org/three", "-o", output, "--format", "json")
    out, err = again.communicate(timeout=60)
    assert again.returncode == 0, err
    assert TOKEN not in out + err
    report = json.loads(out)
    assert report["revision"] == commit
    assert len(set(_picture_requests(shared))) == 12 - 6
    assert any(asked for _, _, asked, _ in shared.log), "the file that came in half goes on"
    assert _pulled(output) == contents(three)
    with pytest.raises(UsageError, match="another revision"):
        pull("org/three", output)
    assert pull(f"org/three@{commit}", output).fetched == 0


def test_another_pull_does_not_go_on_with_this_one(shared, tmp_path, impatient):
    output = tmp_path / "output"
    shared.wrong.cut_after = 0
    with pytest.raises(MissingError):
        pull("org/three@main", output)
    for other in ("org/other", "org/three", "org/three@v1"):
        with pytest.raises(UsageError, match="unfinished pull of org/three@main"):
            pull(other, output)
    shared.wrong.cut_after = None
    commit = shared.repos["org/three"].refs["main"]
    assert pull(f"org/three@{commit}", output).origin.requested == "main"


def test_interrupted_by_the_user(shared, three, elsewhere, tmp_path):
    output = tmp_path / "output"
    shared.wrong.halt_at = 10
    process = elsewhere("pull", "org/three", "-o", output, "-q", "--workers", "1")
    assert shared.wrong.halted.wait(60)
    process.send_signal(signal.SIGINT)
    shared.wrong.go.set()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run the same command again" in err
    assert pull("org/three", output).fetched < 17
    assert _pulled(output) == contents(three)


def test_two_pulls_at_once(shared, elsewhere, tmp_path):
    shared.wrong.halt_at = 8
    process = elsewhere("pull", "org/three", "-o", tmp_path / "output", "-q")
    assert shared.wrong.halted.wait(60)
    with pytest.raises(UsageError, match="another pull is at work"):
        pull("org/three", tmp_path / "output")
    shared.wrong.go.set()
    assert process.wait(60) == 0


def test_files_no_manifest_names_are_not_fetched(hub, three, tmp_path):
    extra = {
        ".gitattributes": b"", "LICENSE": b"", "run.sh": b"", "../outside": b"",
        "/absolute": b"", "train/0001/LOW.png": b"", "train/9999/gt.png": b"",
    }  # fmt: skip
    _put(hub, three, extra=extra)
    pull("org/three", tmp_path / "output")
    assert _pulled(tmp_path / "output") == contents(three) | {
        "croissant.json": (tmp_path / "output" / "croissant.json").read_bytes()
    }
    assert not any(path.endswith(tuple(extra)) for path in hub.requests("GET", "/resolve/"))


@pytest.mark.parametrize(
    "name",
    [
        "../evil.png", "/tmp/evil.png", "a\\b.png", "train/../../evil.png", "train/0001/../evil",
        "train/0001/low\x1b[31m.png", "train/0001/LOW.png", "readme.md", "run.sh", "croissant.json",
        ".dmef-pull/pull.json", ".dmef-origin.json", "train//0001/low.png", "train", "", "CON",
        "train/0001/low.png\n", "train/0001/low.png/", "C:low.png", "./README.md",
    ],
)  # fmt: skip
def test_hostile_names_end_the_pull_before_anything_is_written(hub, three, tmp_path, name):
    def change(document):
        entry = dict(document["distribution"][-1])
        document["distribution"].append(entry | {"contentUrl": name})

    _put(hub, three, change, extra={name: b"evil"} if name else {})
    before = set(tmp_path.rglob("*"))
    with pytest.raises(IntegrityError) as raised:
        pull("org/three", tmp_path / "output")
    assert "\x1b" not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert set(tmp_path.rglob("*")) == before


def test_gigantic_sizes_end_the_pull_before_anything_is_fetched(hub, three, tmp_path):
    def size_of(number):
        def change(document):
            document["distribution"][-1]["contentSize"] = f"{number} B"

        return change

    def tell(name, size):
        repo = hub.repos["org/three"]
        tree = repo.commits[repo.refs["main"]]
        tree[name] = replace(tree[name], size=size)

    _put(hub, three, size_of(10**14))
    with pytest.raises(IntegrityError, match="bytes instead of 100,000,000,000,000"):
        pull("org/three", tmp_path / "output")
    tell(json.loads(hub.files("org/three")["croissant.json"])["distribution"][-1]["@id"], 10**14)
    shutil.rmtree(tmp_path / "output")
    with pytest.raises(MissingError, match="more bytes, the disk has"):
        pull("org/three", tmp_path / "output")
    shutil.rmtree(tmp_path / "output")
    tell("croissant.json", 10**12)
    with pytest.raises(IntegrityError, match="was not fetched"):
        pull("org/three", tmp_path / "output")
    assert not (tmp_path / "output").exists()


def test_a_repository_that_contradicts_itself(hub, three, tmp_path):
    def drop(document):
        document["distribution"] = [
            entry for entry in document["distribution"] if entry["@id"] != "test/0001/low.png"
        ]

    _put(hub, three, drop)
    with pytest.raises(IntegrityError, match=r"test/0001/low\.png: not named"):
        pull("org/three", tmp_path / "one")
    repo = hub.repos["org/three"]
    _put(hub, three)
    del repo.commits[repo.refs["main"]]["test/0001/low.png"]
    with pytest.raises(IntegrityError, match=r"test/0001/low\.png is not there"):
        pull("org/three", tmp_path / "two")
    hub.put("org/three", {"README.md": b"", "data.csv": b""})
    with pytest.raises(UsageError, match=r"holds no croissant\.json"):
        pull("org/three", tmp_path / "three")
    assert not (tmp_path / "three").exists()


def test_folders_with_other_things_in_them_are_not_touched(shared, three, extended, tmp_path):
    photos, linked, other, half = (
        tmp_path / name for name in ("photos", "linked", "other", "half")
    )
    photos.mkdir()
    (photos / "photo.jpg").write_bytes(b"mine")
    linked.mkdir()
    (linked / "train").symlink_to(photos)
    copy(extended, other)
    copy(three, half)
    (half / "dataset.json").unlink()
    (half / "croissant.json").unlink()
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / ".dmef-pull").symlink_to(photos)
    inner = tmp_path / "inner"
    (inner / ".dmef-pull" / "parts").mkdir(parents=True)
    (inner / ".dmef-pull" / "parts" / "0").symlink_to(photos / "photo.jpg")
    before = contents(tmp_path)
    for folder, message in (
        (photos, "belongs to no dataset"), (linked, "belongs to no dataset"),
        (other, "another dataset"), (half, "another dataset"), (trap, "a link"),
        (inner, "a link"), (photos / "photo.jpg", "a file"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=message):
            pull("org/three", folder)
    locks = {name for name in contents(tmp_path) if name.endswith(".dmef-pull/lock")}
    assert {name: data for name, data in contents(tmp_path).items() if name not in locks} == before


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("three", UsageError, "ORG/NAME"),
        ("org/three@", UsageError, "revision ''"),
        ("org/three@a b", UsageError, "revision"),
        ("org/absent", UsageError, "knows no such dataset"),
        ("org/three@absent", UsageError, "no such revision"),
        ("org/gated", MissingError, "granted by its owner"),
    ],
)
def test_what_can_not_be_pulled(shared, tmp_path, name, error, message):
    shared.put("org/gated", {"croissant.json": b""}, gated=True)
    with pytest.raises(error, match=message) as raised:
        pull(name, tmp_path / "output")
    assert TOKEN not in str(raised.value)
    assert not (tmp_path / "output").exists()


def test_private_datasets_and_wrong_tokens(shared, tmp_path, monkeypatch):
    shared.repos["org/three"].private = True
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(MissingError, match="hf auth login") as raised:
        pull("org/three", tmp_path / "output")
    assert "hf_wrong" not in str(raised.value)
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "/nowhere")
    with pytest.raises(MissingError, match="may be private"):
        pull("org/three", tmp_path / "output")


def test_no_network(shared, tmp_path, monkeypatch):
    with pytest.raises(MissingError, match=r"can't be reached \(Connection refused\)"):
        pull("org/three", tmp_path / "output", endpoint="http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(MissingError, match="HF_HUB_OFFLINE"):
        pull("org/three", tmp_path / "output")
    assert [path.name for path in tmp_path.iterdir()] == ["hub"]


@pytest.mark.parametrize("status", [400, 403, 500, 503])
def test_a_hub_in_trouble(shared, tmp_path, status):
    shared.wrong.status = status
    with pytest.raises(MissingError, match=shared.endpoint):
        pull("org/three", tmp_path / "output")


def test_an_answer_no_hub_gives(shared, tmp_path):
    repo = shared.repos["org/three"]
    repo.refs["main"] = "../../evil"
    repo.commits["../../evil"] = {}
    with pytest.raises(MissingError, match="no Hub answers"):
        pull("org/three", tmp_path / "output")
