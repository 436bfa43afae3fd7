"""The suite runs one test a core: each has one thread, and shares what takes long to make."""

import os

import pytest

WORKER = "PYTEST_XDIST_WORKER" in os.environ

if WORKER:
    # Read when torch is imported. More threads than cores wait for one another.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_sessionstart(session):
    if WORKER:
        from own_process import start_server

        start_server()  # it imports while tests are collected


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """With `--dist loadgroup` one process runs what shares a module's fixture: it is made once."""
    for item in items:
        fixtures = item._fixtureinfo.name2fixturedefs.items()
        shared = any(made[-1].scope == "module" and name[0] != "_" for name, made in fixtures)
        if shared and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
