import subprocess
import sys

import pytest

import synth


def test_every_room_is_reached_from_the_package():
    for name in synth.__all__:
        assert getattr(synth, name).__name__ == f"synth.{name}"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'synth' has no attribute 'nonsense'"):
        _ = synth.nonsense


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, synth; print(*({'cv2', 'scipy', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
