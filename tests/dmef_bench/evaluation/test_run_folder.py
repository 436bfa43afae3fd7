import subprocess
import sys

import pytest
from run_folders import DATASET, MACHINE, METRICS

from dmef_bench.errors import IntegrityError, UsageError
from dmef_bench.evaluation.run_folder import RunFolder, finished_scenes
from leaderboard import load_runs
from leaderboard.records import MethodRecord, ProtocolRecord, RunRecord, SampleRecord


def _record(**settings):
    return RunRecord(
        package_version="0.1.0", command="dmef-bench run", started="2026-01-01T00:00:00+00:00",
        method=MethodRecord(name="mine", title="Mine", year=2026, paper="", licence="",
                            kind="classical"),
        dataset=DATASET, protocol=ProtocolRecord(name="native"), metrics=METRICS, machine=MACHINE,
        settings={"precision": "float32", **settings},
    )  # fmt: skip


def _sample(number, **more):
    return SampleRecord(scene=f"test/{number:04d}", **{"psnr": 30.0 + number, **more})


@pytest.fixture
def path(tmp_path):
    """A run with two scenes."""
    path = tmp_path / "results" / "mine@none" / "5f5f5f5f" / "paper-native"
    with RunFolder(path, _record()) as folder:
        folder.add(_sample(1))
        folder.add(_sample(2, psnr=float("inf")))
    return path


def test_a_run_is_what_the_leaderboard_reads(path):
    (run,) = load_runs(path.parents[2])
    assert run.record == _record()
    assert run.samples == (_sample(1), _sample(2, psnr=float("inf")))


def test_it_goes_on_where_it_was(path):
    with RunFolder(path, _record()) as folder:
        assert list(folder.samples) == ["test/0001", "test/0002"]
        folder.add(_sample(3))
    assert finished_scenes(path, _record()) == {"test/0001", "test/0002", "test/0003"}


@pytest.mark.parametrize("kept", range(1, 60, 7))
def test_a_line_cut_short_by_a_kill_is_dropped(path, kept):
    lines = path / "samples.jsonl"
    whole = lines.read_bytes()
    lines.write_bytes(whole + whole.splitlines()[0].replace(b"0001", b"0003")[:kept])
    with RunFolder(path, _record()) as folder:
        assert list(folder.samples) == ["test/0001", "test/0002"]
    assert lines.read_bytes() == whole


def test_a_damaged_whole_line_is_an_integrity_error(path):
    lines = path / "samples.jsonl"
    lines.write_bytes(lines.read_bytes().replace(b'"psnr":31.0', b'"psnr":"x"'))
    with pytest.raises(IntegrityError, match=r"samples\.jsonl: line 1 is damaged"):
        RunFolder(path, _record())
    with RunFolder(path, _record(), overwrite=True) as folder:
        assert folder.samples == {}


def test_failed_scenes_are_tried_again(path):
    with RunFolder(path, _record()) as folder:
        folder.add(SampleRecord(scene="test/0003", error="no luck"))
    with RunFolder(path, _record()) as folder:
        assert "test/0003" not in folder.samples
        folder.add(_sample(3))
    (run,) = load_runs(path.parents[2])
    assert [sample.error for sample in run.samples] == [None] * 3


def test_a_scene_has_one_line(path):
    with RunFolder(path, _record()) as folder:
        folder.add(_sample(1, psnr=12.0))
    (run,) = load_runs(path.parents[2])
    assert {sample.scene: sample.psnr for sample in run.samples}["test/0001"] == 12.0
    assert len(run.samples) == 2


def test_other_settings_are_refused_with_the_difference(path):
    before = (path / "samples.jsonl").read_bytes()
    with pytest.raises(
        UsageError, match="precision was 'float32', is now 'float16'; repeats was 'not set'"
    ):
        RunFolder(path, _record(precision="float16", repeats="3"))
    with pytest.raises(UsageError, match="--overwrite"):
        finished_scenes(path, _record(precision="float16"))
    assert (path / "samples.jsonl").read_bytes() == before


def test_overwrite_begins_anew(path):
    (path / "pictures" / "test-0001").mkdir(parents=True)
    (path / "predictions" / "test").mkdir(parents=True)
    (path / "note.txt").write_text("mine")
    other = _record(precision="float16")
    with RunFolder(path, other, overwrite=True) as folder:
        assert folder.samples == {}
    assert sorted(file.name for file in path.iterdir()) == ["note.txt", "run.json", "samples.jsonl"]
    assert finished_scenes(path, other, overwrite=True) == set()


@pytest.mark.parametrize("content", ["", "{}", '{"schema_version": 99}'])
def test_a_record_that_can_not_be_read_is_refused(path, content):
    (path / "run.json").write_text(content)
    with pytest.raises(UsageError, match=r"run\.json: no run record this version can read"):
        RunFolder(path, _record())


def test_scenes_without_a_record_are_refused(path):
    (path / "run.json").unlink()
    with pytest.raises(UsageError, match=r"holds samples\.jsonl without run\.json"):
        RunFolder(path, _record())


def test_only_one_process_writes(path):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import fcntl, os, sys\n"
            "folder = os.open(sys.argv[1], os.O_RDONLY)\n"
            "fcntl.flock(folder, fcntl.LOCK_EX)\n"
            "print('held', flush=True)\n"
            "sys.stdin.read()\n",
            str(path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(UsageError, match="another process is writing this run"):
            RunFolder(path, _record())
    finally:
        holder.kill()
        holder.communicate()
    with RunFolder(path, _record()) as folder:
        assert len(folder.samples) == 2
