"""The processes that train one network together, as `torchrun` starts them.

Each computes its part of every batch, gradients are averaged, and so all take the same step. The
first one writes. What fails in one process fails in all, and is told once.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import torch
import torch.distributed as dist
from torch import Tensor, nn

from dmef_bench.errors import DmefError, MissingError, UsageError
from dmef_bench.training.device_memory import told_when_full

# How long the others wait for a process that is at work: the first one's validations, mostly.
_PATIENCE: Final = timedelta(hours=1)


class OtherProcessError(DmefError):
    """Another process of the training failed (its exit code, 1 where it has none)."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class LostProcessError(OtherProcessError):
    """The processes can't talk to each other any more: nothing further can be trained."""


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together.

    Attributes:
        rank: its number, from 0.
        size: how many there are.
        on_machine: how many of them share this machine.
    """

    rank: int = 0
    size: int = 1
    on_machine: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def own(self, device: torch.device) -> torch.device:
        """This process's device, where the user asked for one: on GPUs each has its own.

        Raises:
            MissingError: there are fewer GPUs than processes.
        """
        if self.size == 1 or device.type != "cuda":
            return device
        count, number = torch.cuda.device_count(), self.rank % self.on_machine
        if number >= count:
            raise MissingError(
                f"{self.on_machine} processes on a machine with {count} GPUs; start torchrun with "
                "a smaller --nproc-per-node"
            )
        torch.cuda.set_device(number)
        return torch.device("cuda", number)

    def share(self, batch: int) -> range:
        """The places of every batch that this process computes.

        Raises:
            UsageError: the batch can't be divided evenly.
        """
        if batch % self.size:
            raise UsageError(
                f"--batch {batch} can't be divided by {self.size} processes; give a multiple"
            )
        part = batch // self.size
        return range(self.rank * part, (self.rank + 1) * part)

    def average(self, network: nn.Module, loss: Tensor) -> Tensor:
        """Average gradients, in place, and the loss over all processes.

        Args:
            network: after the backward pass.
            loss: scalar.

        Raises:
            LostProcessError: another process is gone.
        """
        if self.size == 1:
            return loss
        found = [p.grad for p in network.parameters() if p.grad is not None]
        with self.together(), told_when_full(loss.device, "averaging gradients"):
            whole = torch.cat([part.flatten().float() for part in (*found, loss.detach())])
        with _alive():
            dist.all_reduce(whole)
        whole /= self.size
        done = 0
        for gradient in found:
            gradient.copy_(whole[done : done + gradient.numel()].view_as(gradient))
            done += gradient.numel()
        return whole[done]

    def any(self, flag: bool) -> bool:
        """Whether it holds in any process; none gets on before all have said.

        Raises:
            LostProcessError: another process is gone.
        """
        return bool(self._largest(int(flag)))

    def same(self, number: int) -> bool:
        """Whether all processes have the same number.

        Raises:
            LostProcessError: another process is gone.
        """
        return self._largest(number) == -self._largest(-number)

    def _largest(self, number: int) -> int:
        if self.size == 1:
            return number
        largest = torch.tensor([number])
        with _alive():
            dist.all_reduce(largest, dist.ReduceOp.MAX)
        return int(largest.item())

    @contextmanager
    def together(self) -> Iterator[None]:
        """Work that each process does by itself: all get through, or all fail.

        Raises:
            OtherProcessError: it failed in another process, whose message this one has.
        """
        if self.size == 1:
            yield
            return
        failure: Exception | None = None
        try:
            yield
        except Exception as error:
            failure = error
        if not self.any(failure is not None):
            return
        told: list[tuple[str, int] | None] = [None] * self.size
        own = None if failure is None else _told(failure)
        with _alive():
            dist.all_gather_object(told, own)
        if failure is not None:
            raise failure
        rank, (message, code) = next((n, one) for n, one in enumerate(told) if one is not None)
        raise OtherProcessError(f"process {rank + 1} of {self.size}: {message}", code)


ALONE: Final = Ranks()


@contextmanager
def started_by_torchrun() -> Iterator[Ranks]:
    """Meet the processes that `torchrun` has started; without it this one is alone.

    Of a mistake in the block the first process alone speaks, and the others end with its exit code.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE
        return
    here = int(os.environ.get("LOCAL_WORLD_SIZE", str(size)))
    ranks = Ranks(int(os.environ["RANK"]), size, here)
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, timeout=_PATIENCE)
    try:
        yield ranks
    except DmefError as error:
        if ranks.first:
            raise
        raise SystemExit(error.exit_code) from None
    dist.destroy_process_group()


def _told(error: Exception) -> tuple[str, int]:
    if isinstance(error, DmefError):
        return str(error), error.exit_code
    code = MissingError.exit_code if isinstance(error, OSError) else 1
    return " ".join(f"{type(error).__name__}: {error}".split()), code


@contextmanager
def _alive() -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[0]
        raise LostProcessError(
            f"another process of this training is gone or can't be reached ({reason}); the last "
            "checkpoint is kept, and the same command goes on from there"
        ) from None
