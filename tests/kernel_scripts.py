"""Scripts on kernels, each in a process of its own: Triton decides at import to interpret."""

import json
import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent


def run_script(name, **environment):
    """What a script in this folder prints as JSON."""
    done = subprocess.run(
        [sys.executable, TESTS / name],
        env={**os.environ, "PYTHONPATH": str(TESTS.parent), **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
