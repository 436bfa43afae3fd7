import json
import math
import os
from pathlib import Path

import pytest
from pydantic import ValidationError
from run_folders import PSNRS, write_run

from leaderboard import LeaderboardError, RecordError, load_run, load_runs, read_results
from leaderboard.records import SampleRecord

GOLDEN = Path(__file__).parent.parent / "golden" / "run_v1"


def change(folder, **fields):
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def append(folder, text):
    with (folder / "samples.jsonl").open("a") as stream:
        stream.write(text)


def test_reads_every_run_in_order_of_names(tmp_path):
    for name in ("mertens", "gdc"):
        write_run(tmp_path, name)
    write_run(tmp_path, "gdc", protocol="tiled", resolution=(512, 512))
    names = [(run.record.method.name, run.record.protocol.name) for run in load_runs(tmp_path)]
    assert names == [("gdc", "native"), ("gdc", "tiled"), ("mertens", "native")]
    assert [sample.psnr for sample in load_runs(tmp_path)[0].samples] == list(PSNRS)


def test_a_record_of_schema_1_stays_loadable():
    (run,) = load_runs(GOLDEN)
    assert run.record.schema_version == 1
    assert run.record.method.published[0].psnr == 18.5
    assert run.record.cost.peak_memory_bytes == 2**30
    assert [sample.psnr for sample in run.samples] == [18.0, 20.0, math.inf, 17.0]


def test_an_infinite_psnr_survives_the_file():
    sample = SampleRecord(scene="test/0001", psnr=math.inf, ssim=1.0)
    text = sample.model_dump_json()
    assert json.loads(text)["psnr"] == "Infinity"
    assert SampleRecord.model_validate_json(text) == sample


@pytest.mark.parametrize(
    "fields",
    [{"psnr": math.nan}, {"psnr": -math.inf}, {"ssim": math.inf}, {"inference_seconds": -1.0},
     {"scene": "../../etc"}, {"scene": "test/../x"}, {"scene": "test"}, {"unknown": 1}],
)  # fmt: skip
def test_impossible_samples_are_refused(fields):
    with pytest.raises(ValidationError):
        SampleRecord(**{"scene": "test/0001", **fields})


def test_a_half_written_last_line_is_left_out(tmp_path):
    folder = write_run(tmp_path, psnrs=PSNRS[:3])
    append(folder, '{"scene":"test/0004","ps')
    assert [sample.scene[-1] for sample in load_run(folder).samples] == ["1", "2", "3"]


def test_a_last_line_that_only_lacks_its_line_break_counts(tmp_path):
    folder = write_run(tmp_path, psnrs=PSNRS[:3])
    append(folder, '{"scene":"test/0004","psnr":1.0}')
    assert len(load_run(folder).samples) == 4


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("not json\n", "line 4"),
        ("\n", "line 4"),
        ('{"scene":"test/0004","psnr":NaN}\n', "no PSNR"),
        ('{"scene":"test/0001","psnr":3.0}\n', "test/0001 has two lines"),
        ('{"scene":"../0001"}\n', "scene"),
    ],
)
def test_a_bad_whole_line_is_named(tmp_path, line, reason):
    folder = write_run(tmp_path, psnrs=PSNRS[:3])
    append(folder, line)
    with pytest.raises(RecordError, match=reason) as caught:
        load_run(folder)
    assert str(caught.value).startswith(str(folder / "samples.jsonl"))
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_named(tmp_path):
    folder = write_run(tmp_path)
    (folder / "run.json").write_bytes(b'{"schema_version": \xff\xfe}')
    with pytest.raises(RecordError, match=r"run\.json"):
        load_run(folder)


def test_more_scenes_than_the_split_has(tmp_path):
    folder = write_run(tmp_path, psnrs=(*PSNRS, 30.0))
    with pytest.raises(RecordError, match=r"6 scenes, but run\.json says the split has 5"):
        load_run(folder)


def test_a_newer_schema_is_named_with_its_version(tmp_path):
    folder = write_run(tmp_path)
    change(folder, schema_version=2)
    with pytest.raises(RecordError, match="schema version 2, this package reads 1"):
        load_run(folder)


def test_a_missing_field_is_named(tmp_path):
    folder = write_run(tmp_path)
    change(folder, dataset={"name": "x"})
    with pytest.raises(RecordError, match=r"dataset\.digest: Field required"):
        load_run(folder)


def test_deeply_nested_json_is_refused(tmp_path):
    folder = write_run(tmp_path)
    (folder / "run.json").write_text("[" * 100_000)
    with pytest.raises(RecordError, match=r"run\.json"):
        load_run(folder)


def test_a_huge_record_is_not_read(tmp_path):
    folder = write_run(tmp_path)
    with (folder / "run.json").open("ab") as stream:
        stream.truncate(5 * 2**20)
    with pytest.raises(RecordError, match="more than"):
        load_run(folder)


def test_links_and_pipes_are_not_opened(tmp_path):
    results, outside = tmp_path / "results", tmp_path / "outside"
    real = write_run(outside, "gdc")
    linked = write_run(results, "ahdrnet")
    (linked / "run.json").unlink()
    (linked / "run.json").symlink_to(real / "run.json")
    piped = write_run(results, "ipl")
    (piped / "samples.jsonl").unlink()
    os.mkfifo(piped / "samples.jsonl")
    (results / "gdc@none").symlink_to(outside / "gdc@none")
    found = read_results(results)
    assert found.runs == ()
    reasons = [one.reason for one in found.skipped]
    assert len(reasons) == 3
    assert "run.json: can't be read (it is a link" in reasons[0]
    assert "gdc@none: it is a link" in reasons[1]
    assert "not a regular file" in reasons[2]


def test_broken_runs_are_listed_and_the_strict_form_refuses_them(tmp_path):
    write_run(tmp_path, "gdc")
    broken = write_run(tmp_path, "ipl")
    (broken / "run.json").unlink()
    (tmp_path / "notes@x" / "y" / "z").mkdir(parents=True)
    found = read_results(tmp_path)
    assert [run.record.method.name for run in found.runs] == ["gdc"]
    assert [one.folder for one in found.skipped] == [broken]
    with pytest.raises(RecordError, match=r"run\.json: there is no such file"):
        load_runs(tmp_path)


def test_no_such_folder(tmp_path):
    with pytest.raises(LeaderboardError, match=r"nowhere: can't be read as a results folder"):
        read_results(tmp_path / "nowhere")
