import hashlib
import json
import os
import shutil

import pytest
from dataset_folders import contents

from dmef_bench.dataset.assembly import Move, Plan, carry_out, complete, remove_work
from dmef_bench.dataset.layout import WORK_FOLDER
from dmef_bench.errors import IntegrityError

NEW = {
    "train/0001/gt.png": b"new picture",
    "train/0002/gt.png": b"another new picture",
    "dataset.json": b"new record",
}
OLD = {"train/0001/gt.png": b"old picture", "test/0001/gt.png": b"stale", "dataset.json": b"old"}


class CrashError(BaseException):
    """Nothing in the package catches it, like SIGKILL."""


def _lay_out(output):
    for name, content in OLD.items():
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    moves = []
    for number, (name, content) in enumerate(NEW.items()):
        source = output / WORK_FOLDER / f"scenes/{number}"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        moves.append(Move(source=f"scenes/{number}", target=name, sha256=digest))
    return Plan(moves=tuple(moves), removals=("test/0001/gt.png",))


def _whole(output):
    files = {name: content for name, content in contents(output).items() if content}
    return files == NEW and not (output / "test").exists()


def test_every_crash_point_is_completed(tmp_path, monkeypatch):
    crashed = 0
    while True:
        output = tmp_path / str(crashed)
        plan = _lay_out(output)
        left = crashed

        def crash_after(function):
            def wrapped(*arguments, **named):
                nonlocal left
                left -= 1
                if left < 0:
                    raise CrashError
                return function(*arguments, **named)

            return wrapped

        with monkeypatch.context() as patch:
            for name in ("replace", "unlink", "rmdir", "mkdir", "fsync"):
                patch.setattr(os, name, crash_after(getattr(os, name)))
            try:
                carry_out(output, plan)
                remove_work(output)
                break
            except CrashError:
                pass
        crashed += 1
        if complete(output):
            remove_work(output)
            assert _whole(output), crashed
        elif (output / WORK_FOLDER / "scenes" / "0").exists():
            assert {name: (output / name).read_bytes() for name in OLD} == OLD
        else:
            shutil.rmtree(output / WORK_FOLDER, ignore_errors=True)
            assert _whole(output), crashed
    assert crashed > 15
    assert _whole(output)


@pytest.mark.parametrize(
    "name", ["../outside.png", "/etc/outside.png", "train/0001/../../../x.png", "train/notes.txt"]
)
def test_a_plan_that_leaves_the_dataset_is_refused(tmp_path, name):
    output = tmp_path / "output"
    plan = json.loads(_lay_out(output).model_dump_json())
    for part, entry in (("moves", {**plan["moves"][0], "target": name}), ("removals", name)):
        hostile = {**plan, part: [*plan[part], entry]}
        (output / WORK_FOLDER / "plan.json").write_text(json.dumps(hostile))
        with pytest.raises(IntegrityError, match="can't be completed"):
            complete(output)
        assert {key: (output / key).read_bytes() for key in OLD} == OLD


def test_a_plan_with_an_altered_file_is_dropped_before_anything_moved(tmp_path):
    output = tmp_path / "output"
    plan = _lay_out(output)
    (output / WORK_FOLDER / "plan.json").write_text(plan.model_dump_json())
    (output / WORK_FOLDER / "scenes" / "1").write_bytes(b"altered")
    assert not complete(output)
    assert not (output / WORK_FOLDER / "plan.json").exists()


def test_a_link_in_the_work_folder_is_not_followed(tmp_path):
    output = tmp_path / "output"
    plan = _lay_out(output)
    carried = output / WORK_FOLDER / "scenes" / "0"
    (output / "train" / "0001" / "gt.png").unlink()
    (tmp_path / "outside").mkdir()
    (output / "train" / "0001").rmdir()
    (output / "train" / "0001").symlink_to(tmp_path / "outside")
    (tmp_path / "outside" / "gt.png").write_bytes(carried.read_bytes())
    carried.unlink()
    (output / WORK_FOLDER / "plan.json").write_text(plan.model_dump_json())
    with pytest.raises(IntegrityError, match="a link"):
        complete(output)
