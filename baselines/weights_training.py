"""How weights were trained, in the few words a table has room for."""

import json
from collections.abc import Mapping
from typing import Any


def weights_training(metadata: Mapping[str, str]) -> str | None:
    """What weights of `dmef-bench train` say of themselves: "150 steps of 4 samples".

    Where a training started from weights, their steps stand before its own: "2,000 + 150 steps".

    Args:
        metadata: text beside the weights, by key; `training` is JSON.

    Returns:
        None where the file says nothing that can be read, as an authors' checkpoint.
    """
    try:
        told = json.loads(metadata.get("training", "null"))
        return f"{steps_in_words(told)} steps of {int(told['batch']):,} samples"
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def steps_in_words(training: Mapping[str, Any]) -> str:
    """The steps of a training, after those of the weights it started from: "2,000 + 150".

    Args:
        training: as `dmef-bench train` states it.

    Raises:
        KeyError, TypeError, ValueError: it is of another form.
    """
    own = f"{int(training['step']):,}"
    match training.get("started_from"):
        case {"training": {"step": _} as before}:
            return f"{steps_in_words(before)} + {own}"
    return own
