"""Strips of a picture on all cores, each strip on one core from its first operation to its last."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")


class Workers:
    """As many threads as torch would use, each of which lets torch use one.

    torch's own threads share every single operation and wait for each other after it, thousands
    of times a picture; where another process holds a core, each wait lasts a time slice. Torch
    lets go of Python's lock during an operation, so that strips run side by side.
    """

    def __enter__(self) -> Self:
        self._count = torch.get_num_threads()
        self._pool = (
            ThreadPoolExecutor(self._count, "ipl", initializer=torch.set_num_threads, initargs=(1,))
            if self._count > 1
            else None
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            torch.set_num_threads(self._count)

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """`work` for every item, gradients off; results in the order of the items."""

        def alone(item: T) -> R:
            with torch.inference_mode():
                return work(item)

        if self._pool is None:
            return [alone(item) for item in items]
        return list(self._pool.map(alone, items))
