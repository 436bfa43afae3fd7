import pytest
from dataset_folders import copy, some_of, write_clips

from dmef_bench.dataset import BuildSettings, build_dataset

SMALL = BuildSettings(min_height=100)


@pytest.fixture(scope="session")
def settings():
    return SMALL


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Five clips, and a text file with a video's name."""
    folder = write_clips(tmp_path_factory.mktemp("clips") / "five", 5)
    (folder / "text.mp4").write_text("not a video")
    return folder


@pytest.fixture(scope="session")
def three_clips(clips, tmp_path_factory):
    folder = some_of(clips, tmp_path_factory.mktemp("clips") / "three", range(3))
    (folder / "text.mp4").write_text("not a video")
    return folder


@pytest.fixture(scope="session")
def three(three_clips, settings, tmp_path_factory):
    """The dataset of three clips, built undisturbed by one worker. Not to be altered."""
    output = tmp_path_factory.mktemp("datasets") / "three"
    build_dataset(three_clips, output, settings, workers=1)
    return output


@pytest.fixture(scope="session")
def extended(three, clips, settings, tmp_path_factory):
    """The same dataset extended to five clips. Not to be altered."""
    output = copy(three, tmp_path_factory.mktemp("datasets") / "extended")
    build_dataset(clips, output, settings, workers=2)
    return output
