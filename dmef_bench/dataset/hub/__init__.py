"""Share datasets at a Hugging Face Hub, and fetch them from there."""

from dmef_bench.dataset.hub.library import silence_library
from dmef_bench.dataset.hub.pull import PullReport, pull
from dmef_bench.dataset.hub.pull_folder import Origin, read_origin
from dmef_bench.dataset.hub.push import PushReport, push

__all__ = [
    "Origin",
    "PullReport",
    "PushReport",
    "pull",
    "push",
    "read_origin",
    "silence_library",
]
