import json

import pytest
from click.testing import CliRunner

from dmef_bench.cli import doctor
from dmef_bench.errors import MissingError


def test_a_sound_machine_passes_and_every_subject_is_named():
    done = CliRunner().invoke(doctor.command, ["--format", "json"])
    assert done.exit_code == 0, done.output
    findings = {finding["subject"]: finding for finding in json.loads(done.stdout)}
    assert set(findings) == set(doctor._CHECKS)
    assert findings["ffmpeg"]["state"] == "ok"
    assert "gdc" in findings["Methods"]["detail"]
    assert not any(finding["state"] == "missing" for finding in findings.values())


def test_what_is_missing_is_named_and_ends_with_exit_code_3(monkeypatch):
    def broken():
        raise ImportError("libffi.so.8: cannot open shared object file")

    monkeypatch.setitem(doctor._CHECKS, "ffmpeg", broken)
    done = CliRunner().invoke(doctor.command, [])
    assert isinstance(done.exception, MissingError)
    assert done.exception.exit_code == 3
    assert "missing: ffmpeg" in str(done.exception)
    assert "libffi.so.8" in done.stdout


@pytest.mark.parametrize("output_format", ["human", "json"])
def test_without_lpips_backbones_the_reason_is_told(monkeypatch, tmp_path, output_format):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    done = CliRunner().invoke(doctor.command, ["--format", output_format])
    assert done.exit_code == 0
    assert "--lpips-backbone" in done.stdout
