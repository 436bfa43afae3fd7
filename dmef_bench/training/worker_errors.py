"""Errors of processes that prepare data, told in this one as they were meant for the user."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from torch.utils.data import Dataset

from dmef_bench.errors import DmefError

Item = TypeVar("Item")
Made = TypeVar("Made", covariant=True)


class _Sized(Protocol[Made]):
    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> Made: ...


class ErrorsAsItems(Dataset[Item | DmefError]):
    """A dataset whose errors are items: raised in a worker they would come with its traceback.

    Args:
        data: the dataset.
    """

    def __init__(self, data: _Sized[Item]) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, number: int) -> Item | DmefError:
        try:
            return self._data[number]
        except DmefError as error:
            return error


def items_or_error(items: Iterable[Item | DmefError]) -> Iterator[Item]:
    """The items up to the first error, which is raised."""
    for item in items:
        if isinstance(item, DmefError):
            raise item
        yield item
