import errno
import os
import subprocess
import sys

import pytest

from dmef_bench.atomic_write import atomic_write, sha256_of_file
from dmef_bench.errors import MissingError, UsageError


def test_writes_the_bytes_and_nothing_beside_them(tmp_path):
    target = tmp_path / "new" / "file.bin"
    atomic_write(target, b"first")
    atomic_write(target, b"second")
    assert target.read_bytes() == b"second"
    assert [path.name for path in target.parent.iterdir()] == ["file.bin"]


def test_sha256_is_that_of_the_bytes(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of_file(tmp_path / "abc") == expected


@pytest.mark.parametrize(
    ("code", "words"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "can't be written")]
)
def test_a_full_or_read_only_disk_keeps_the_old_file(tmp_path, monkeypatch, code, words):
    target = tmp_path / "kept.txt"
    atomic_write(target, b"old")

    def refuse(descriptor):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(MissingError, match=words) as caught:
        atomic_write(target, b"new")
    assert "kept.txt" in str(caught.value)
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_a_file_where_a_folder_must_be_is_named(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UsageError, match="taken"):
        atomic_write(tmp_path / "taken" / "new.txt", b"new")
    assert (tmp_path / "taken").read_text() == "a file"


def test_a_kill_between_write_and_replace_keeps_the_old_file(tmp_path):
    target = tmp_path / "kept.txt"
    atomic_write(target, b"old")
    child = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from dmef_bench.atomic_write import atomic_write\n"
        "os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)\n"
        "atomic_write(Path(sys.argv[1]), b'new')\n"
    )
    done = subprocess.run([sys.executable, "-c", child, str(target)], check=False)
    assert done.returncode == -9
    assert target.read_bytes() == b"old"
