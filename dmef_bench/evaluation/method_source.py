"""Where a method's code lies: what a record knows it by, and what another process finds it by."""

import hashlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from baselines import Method, MethodError, resolve
from dmef_bench.atomic_write import sha256_of_file


def source_sha256(method: Method) -> str:
    """SHA-256 of the files that define `fuse` and the network's modules; torch's own are not read.

    Part of what a resumed run must match. "unknown" where the file of `fuse` can't be found.
    """
    defining = _file_of(inspect.unwrap(type(method).fuse))
    if defining is None:
        return "unknown"
    network = method.network()
    kinds = set() if network is None else {type(module) for module in network.modules()}
    files = {_file_of(kind) for kind in kinds if not kind.__module__.startswith("torch.")}
    others = sorted(sha256_of_file(path) for path in files - {None, defining} if path is not None)
    if not others:
        return sha256_of_file(defining)
    together = "\n".join((sha256_of_file(defining), *others))
    return hashlib.sha256(together.encode()).hexdigest()


def _file_of(thing: Callable[..., Any] | type) -> Path | None:
    try:
        path = Path(inspect.getsourcefile(thing) or "")
    except TypeError:  # a class whose module nobody registered
        return None
    return path if path.is_file() else None


def spec_of(method_class: type[Method]) -> str:
    """What `baselines.resolve` takes to find this class again in another process."""
    name = method_class.info.name
    try:
        if resolve(name) is method_class:
            return name
    except MethodError:
        pass  # a class in a file needs no name that is known
    return f"{inspect.getsourcefile(method_class)}:{method_class.__qualname__}"
