"""Settings of huggingface-hub for a process that shows its own progress and its own errors."""

import logging
import warnings

from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]


def silence_library() -> None:
    """Keep huggingface-hub's bars, warnings and log lines, which may quote a server, off stderr."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        disable_progress_bars()
    warnings.filterwarnings("ignore", module="huggingface_hub")
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
