"""Freed memory stays with the process, and goes back when it is asked to."""

import subprocess
import sys

import pytest

from dmef_bench.evaluation.memory import resident_bytes

BLOCK = 256 << 20
CODE = f"""
import torch
from dmef_bench.evaluation.freed_memory import keep_freed_memory, return_freed_memory
from dmef_bench.evaluation.memory import PeakMemory, resident_bytes

def hold():
    torch.ones({BLOCK}, dtype=torch.uint8)

hold()
print(resident_bytes())
keep_freed_memory()
hold()
print(resident_bytes())
with PeakMemory(torch.device("cpu")) as peak:
    hold()
print(peak.bytes)
return_freed_memory()
print(resident_bytes())
"""


@pytest.mark.skipif(resident_bytes() is None, reason="the kernel does not tell")
def test_freed_memory_is_kept_seen_by_the_peak_and_given_back():
    told = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True
    ).stdout
    plain, kept, peak, returned = map(int, told.split())
    assert kept - plain > 0.9 * BLOCK
    assert 0.9 * BLOCK < peak < 1.2 * BLOCK
    assert kept - returned > 0.9 * BLOCK
