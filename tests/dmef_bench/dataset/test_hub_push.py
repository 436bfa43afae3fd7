import importlib
import signal
import threading

import pytest
from bracketed_media import write_scene
from dataset_folders import contents, copy
from hub_client import elsewhere, hub
from hub_server import TOKEN

from dmef_bench.dataset.hub import push
from dmef_bench.dataset.importers import find_kalantari, import_dataset
from dmef_bench.errors import IntegrityError, MissingError, UsageError

__all__ = ["elsewhere", "hub"]


def _files(folder):
    return {name: content for name, content in contents(folder).items() if content}


def test_what_is_pushed_is_there_byte_by_byte(hub, three):
    report = push("org/three", three)
    assert hub.files("org/three") == _files(three)
    assert report.created
    assert report.commit == hub.repos["org/three"].refs["main"]
    assert set(report.added) == set(_files(three))
    assert report.size == sum(map(len, _files(three).values()))
    assert report.page == f"{hub.endpoint}/datasets/org/three"
    assert len(hub.requests("POST", "/commit/")) == 1


def test_a_second_push_sends_nothing(hub, three):
    first = push("org/three", three)
    hub.log.clear()
    again = push("org/three", three)
    assert {verb for verb, *_ in hub.log} == {"GET"}
    assert (again.commit, again.added, again.size, again.created) == (first.commit, (), 0, False)


def test_an_extended_dataset_sends_what_is_new(hub, three, extended):
    push("org/name", three)
    hub.log.clear()
    report = push("org/name", extended)
    assert hub.files("org/name") == _files(extended)
    assert len(hub.requests("PUT", "/lfs/")) == 2 * 4
    assert report.removed == ()
    back = push("org/name", three)
    assert hub.files("org/name") == _files(three)
    assert set(back.removed) == _files(extended).keys() - _files(three).keys()


def test_other_files_of_the_repository_stay(hub, three):
    hub.put("org/name", {"LICENSE": b"text", "train/9999/gt.png": b"of an earlier dataset"})
    report = push("org/name", three)
    assert report.removed == ("train/9999/gt.png",)
    assert hub.files("org/name") == {**_files(three), "LICENSE": b"text"}


def test_a_dry_run_changes_nothing(hub, three):
    report = push("org/three", three, dry_run=True)
    assert report.commit is None
    assert set(report.added) == set(_files(three))
    assert hub.repos == {}
    assert {verb for verb, *_ in hub.log} == {"GET"}


def test_a_branch_is_made_and_main_stays(hub, three, extended):
    main = push("org/name", three).commit
    hub.log.clear()
    report = push("org/name", extended, revision="larger")
    assert hub.repos["org/name"].refs == {"main": main, "larger": report.commit}
    assert len(hub.requests("PUT", "/lfs/")) == 2 * 4
    assert push("org/name", extended, revision="larger").commit == report.commit
    whole = push("org/name", three, revision="same")
    assert whole.added == ()
    assert hub.repos["org/name"].refs["same"] == whole.commit == main


def test_a_private_repository(hub, three):
    push("org/three", three, private=True)
    assert hub.repos["org/three"].private
    push("org/three", three, private=True)
    push("org/public", three)
    with pytest.raises(UsageError, match="everybody can see"):
        push("org/public", three, private=True)


def test_a_damaged_dataset_is_refused_before_the_hub_is_asked(hub, three, tmp_path):
    dataset = copy(three, tmp_path / "dataset")
    picture = dataset / "train" / "0001" / "mid.png"
    picture.write_bytes(picture.read_bytes()[:-1] + b"\0")
    with pytest.raises(IntegrityError, match=r"train/0001/mid\.png.*nothing was pushed"):
        push("org/three", dataset)
    (dataset / "train" / "0001" / "new.txt").write_text("")
    with pytest.raises(IntegrityError, match="1 more"):
        push("org/three", dataset)
    assert hub.log == []


@pytest.mark.parametrize("options", [{}, {"private": True}, {"dry_run": True}])
def test_pictures_of_others_are_not_shared_by_mistake(hub, tmp_path, options):
    for split, seed in (("Training", 1), ("Test", 2)):
        write_scene(tmp_path / "kalantari" / split / "scene", seed)
    import_dataset(find_kalantari(tmp_path / "kalantari"), tmp_path / "dataset")
    with pytest.raises(UsageError, match="belong to the authors of Kalantari"):
        push("org/name", tmp_path / "dataset", **options)
    assert not hub.log


def test_more_files_than_fit_into_one_commit(hub, three, monkeypatch):
    module = importlib.import_module("dmef_bench.dataset.hub.push")
    monkeypatch.setattr(module, "_FILES_IN_A_COMMIT", 5)
    report = push("org/three", three)
    assert hub.files("org/three") == _files(three)
    trees = list(hub.repos["org/three"].commits.values())
    assert ["croissant.json" in tree for tree in trees] == [False, False, False, True]
    assert report.commit == list(hub.repos["org/three"].commits)[-1]


def test_killed_during_the_upload_then_finished(hub, three, elsewhere):
    hub.wrong.halt_upload = 8
    process = elsewhere("push", "org/three", "--data", three, "-q")
    assert hub.wrong.halted.wait(60)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert hub.files("org/three") == {}
    hub.wrong.go.set()
    before = set(hub.requests("PUT", "/lfs/"))
    hub.log.clear()
    push("org/three", three)
    assert hub.files("org/three") == _files(three)
    after = hub.requests("PUT", "/lfs/")
    assert len(before) >= 8
    assert len(set(after) & before) <= 5, "those that were on their way, one a connection"


def test_a_push_beside_another(hub, three):
    push("org/name", three)
    hub.put("org/name", {"README.md": b"other"})
    hub.wrong.halt_upload = hub.taken + 1
    for path in hub.root.glob("*"):
        path.unlink()  # the Hub forgets what it stored
    failures = []

    def attempt():
        try:
            push("org/name", three)
        except MissingError as error:
            failures.append(str(error))

    thread = threading.Thread(target=attempt)
    thread.start()
    assert hub.wrong.halted.wait(60)
    hub.put("org/name", {"README.md": b"changed by somebody"})
    hub.wrong.go.set()
    thread.join(60)
    assert len(failures) == 1
    assert "changed there at the same time" in failures[0]
    assert push("org/name", three).commit == hub.repos["org/name"].refs["main"]


def test_a_hub_that_stores_other_bytes(hub, three, monkeypatch):
    large = hub.large
    monkeypatch.setattr(hub, "large", lambda sha256, size: large("0" * 64, size))
    with pytest.raises(IntegrityError, match="not there as it was sent"):
        push("org/three", three)


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("three", {}, UsageError, "ORG/NAME"),
        ("a/b/c", {}, UsageError, "ORG/NAME"),
        ("org/../x", {}, UsageError, "ORG/NAME"),
        ("org/na me", {}, UsageError, "ORG/NAME"),
        ("org/name@main", {}, UsageError, "--revision"),
        ("org/name", {"revision": "../main"}, UsageError, "a branch"),
        ("org/name", {"revision": "a\x1b[31m"}, UsageError, r"\\x1b"),
        ("forbidden/name", {}, MissingError, "may not do that"),
    ],
)
def test_names_that_can_not_be_pushed_to(hub, three, name, options, error, message):
    with pytest.raises(error, match=message) as raised:
        push(name, three, **options)
    assert TOKEN not in str(raised.value)


def test_without_a_login_or_with_a_wrong_one(hub, three, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(MissingError, match="hf auth login") as raised:
        push("org/three", three)
    assert "hf_wrong" not in str(raised.value)
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "/nowhere")
    with pytest.raises(MissingError, match="hf auth login"):
        push("org/three", three)


def test_a_hub_without_xet_storage(hub, three, elsewhere):
    process = elsewhere("push", "org/three", "--data", three, "-q", HF_HUB_DISABLE_XET="0")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "set HF_HUB_DISABLE_XET=1" in err
    assert "Traceback" not in err
    assert TOKEN not in err


def test_a_licence_the_hub_does_not_know(hub, three_clips, tmp_path):
    from dmef_bench.dataset import BuildSettings, build_dataset

    build_dataset(
        three_clips, tmp_path / "dataset", BuildSettings(min_height=100, licence="mine"), limit=1
    )
    with pytest.raises(UsageError, match="--license"):
        push("org/name", tmp_path / "dataset")
