"""Where a method's code lies: what a record knows it by, and what another process finds it by."""

import inspect
from pathlib import Path

from baselines import Method, MethodError, resolve
from dmef_bench.atomic_write import sha256_of_file


def source_sha256(method_class: type[Method]) -> str:
    """SHA-256 of the file that defines `fuse`; part of what a resumed run must match."""
    path = Path(inspect.getsourcefile(inspect.unwrap(method_class.fuse)) or "")
    return sha256_of_file(path) if path.is_file() else "unknown"


def spec_of(method_class: type[Method]) -> str:
    """What `baselines.resolve` takes to find this class again in another process."""
    name = method_class.info.name
    try:
        if resolve(name) is method_class:
            return name
    except MethodError:
        pass  # a class in a file needs no name that is known
    return f"{inspect.getsourcefile(method_class)}:{method_class.__qualname__}"
