from pathlib import Path

import fusion_methods
import pytest

from baselines import resolve
from dmef_bench.dataset import open_dataset
from dmef_bench.evaluation import Scorer


@pytest.fixture
def dataset(dataset_folder):
    return open_dataset(dataset_folder)


@pytest.fixture
def method():
    """A class of fusion_methods.py, through the door that a user takes."""
    return lambda name: resolve(f"{Path(fusion_methods.__file__)}:{name}")


@pytest.fixture
def scorer():
    return Scorer(None, "left out")
