"""Scripts on kernels, each in a process of its own: Triton decides at import to interpret."""

import json
import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent


def run_script(name, *arguments, **environment):
    """What a script in this folder prints as JSON."""
    done = subprocess.run(
        [sys.executable, TESTS / name, *arguments],
        env={**os.environ, "PYTHONPATH": str(TESTS.parent), **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def error(got, expected):
    """The largest difference, and the relative error in the Frobenius norm."""
    difference = got.double() - expected.double()
    return {
        "largest": float(difference.abs().max() / expected.abs().max()),
        "relative": float(difference.norm() / expected.double().norm()),
    }


def check_compiled(network, kernels, by_matrices):
    """Every launch down to machine code, which takes no GPU; registers hold what a tile needs."""
    for built in run_script("kernels_compiled.py", network, TRITON_INTERPRET="0").values():
        assert {launch["kernel"] for launch in built} == kernels
        for launch in built:
            assert launch["stack_bytes"] <= 256, launch
            assert launch["registers"] <= 255, launch
            assert launch["shared_bytes"] <= 227 * 1024, launch
            if launch["kernel"] in by_matrices:
                assert launch["matrix_instructions"] > 0, launch
