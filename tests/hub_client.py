"""Fixtures of a running Hub and of a client in this process or another that talks with it."""

import os
import signal
import subprocess
import sys

import pytest
from hub_server import TOKEN, running_hub


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub; push and pull in this process go to it, logged in."""
    with running_hub(tmp_path / "hub") as hub:
        # What HF_ENDPOINT does where it is set before the library is imported.
        template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.endpoint)
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield hub


@pytest.fixture
def elsewhere(hub, tmp_path):
    """Start `dmef-bench` in a process of its own, as that Hub's user."""

    def start(*arguments, **environment):
        return subprocess.Popen(
            [sys.executable, "-m", "dmef_bench", *map(str, arguments)],
            env={
                **os.environ,
                "HF_ENDPOINT": hub.endpoint,
                "HF_HUB_DISABLE_XET": "1",
                "HF_HOME": str(tmp_path / "home"),
                "HF_TOKEN": TOKEN,
                **environment,
            },
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            # A job that a shell put into the background starts with SIGINT ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip

    return start
