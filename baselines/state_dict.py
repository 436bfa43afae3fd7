"""Reading a network's configuration off the names and shapes of its checkpoint."""

from collections.abc import Mapping

from torch import Tensor

StateDict = Mapping[str, Tensor]


def count_numbered(state: StateDict, prefix: str) -> int:
    """How many modules `prefix.0`, `prefix.1`, ... a checkpoint holds."""
    start = prefix + "."
    return len({key[len(start) :].split(".", 1)[0] for key in state if key.startswith(start)})
