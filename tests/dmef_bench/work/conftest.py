from pathlib import Path

import pytest
from command_line import dmef_bench
from dask_cluster import DaskCluster
from dataset_folders import write_clips

from dmef_bench.dataset import BuildSettings, build_dataset

__all__ = ["dmef_bench"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """One process runs all of this folder, so that `--dist loadgroup` starts one cluster."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("cluster"))


@pytest.fixture(scope="session")
def dask_cluster(tmp_path_factory):
    """A scheduler and two workers; whoever takes it down starts it again."""
    cluster = DaskCluster(tmp_path_factory.mktemp("cluster") / "dask")
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def three_videos(tmp_path_factory):
    return write_clips(tmp_path_factory.mktemp("videos") / "clips", 3)


@pytest.fixture(scope="session")
def built_here(three_videos, tmp_path_factory):
    """The dataset of the three videos, built on this machine. Not to be altered."""
    output = tmp_path_factory.mktemp("built-here") / "4k-dmef"
    build_dataset(three_videos, output, BuildSettings(min_height=100), workers=1)
    return output
