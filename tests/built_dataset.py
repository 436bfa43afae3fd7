"""A small real dataset: three train scenes and one test scene of 192×108 pixels."""

import pytest
from dataset_folders import write_clips

from dmef_bench.dataset import BuildSettings, build_dataset


@pytest.fixture(scope="session")
def dataset_folder(tmp_path_factory):
    """Its folder. Not to be altered."""
    folder = tmp_path_factory.mktemp("built")
    clips = write_clips(folder / "clips", 4)
    build_dataset(clips, folder / "4k-dmef", BuildSettings(min_height=100), workers=1, quiet=True)
    return folder / "4k-dmef"
