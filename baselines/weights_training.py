"""How weights were trained, in the few words a table has room for."""

import json
from collections.abc import Mapping


def weights_training(metadata: Mapping[str, str]) -> str | None:
    """What weights of `dmef-bench train` say of themselves: "150 steps of 4 samples".

    Args:
        metadata: text beside the weights, by key; `training` is JSON.

    Returns:
        None where the file says nothing that can be read, as an authors' checkpoint.
    """
    try:
        told = json.loads(metadata.get("training", "null"))
        steps, batch = (int(told[key]) for key in ("step", "batch"))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return f"{steps:,} steps of {batch:,} samples"
