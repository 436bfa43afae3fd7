"""One try: what is asked of a child process, what it does, and what came of it."""

import resource
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, Literal

import torch

from baselines import Bracket, resolve
from baselines.conventions import Linear
from dmef_bench.evaluation.memory import PeakMemory, resident_bytes
from dmef_bench.evaluation.method_call import MethodCall, MethodFailedError, OutOfMemoryError
from dmef_bench.evaluation.ready_method import ready_method
from dmef_bench.evaluation.timing_pictures import EVS
from synth.camera_response import camera_response

Outcome = Literal["fits", "out-of-memory", "killed", "time-limit", "failed"]

DEFAULT_TIME_LIMIT: Final = 600.0
# Threads reserve address space they never touch; the limit is only there for what grows faster
# than it can be watched.
_RESERVED: Final = 2**30


@dataclass(frozen=True)
class ProbeRequest:
    """What is tried at one size after the other.

    Attributes:
        method: name, or file and class, as `baselines.resolve` takes it.
        weights: file of weights; the shipped ones where None.
        device: by its name.
        budget: bytes that a call may take, exposures included, beside the program and the weights.
        precision: "float32", "bfloat16" or "float16".
        linear: how exposures become linear light; as the weights say where None.
        time_limit: seconds for one try, loading included.
    """

    method: str
    weights: Path | None
    device: str
    budget: int
    precision: str = "float32"
    linear: Linear | None = None
    time_limit: float = DEFAULT_TIME_LIMIT


@dataclass(frozen=True)
class Attempt:
    """What came of one try.

    Attributes:
        height: of the exposures.
        width: of the exposures.
        outcome: "fits"; "out-of-memory", the budget or the machine did not hold it; "killed", its
            process was ended by someone else, as the kernel does for want of memory; "time-limit",
            it took too long; "failed", the method raised something else.
        peak_bytes: most memory above what the process held before; None where it is not known.
        seconds: of the whole try.
        reason: one line on an outcome that is not "fits".
    """

    height: int
    width: int
    outcome: Outcome
    peak_bytes: int | None
    seconds: float
    reason: str = ""


def attempt_here(request: ProbeRequest, height: int, width: int, report: Connection) -> None:
    """Try one size in this process, which is ended afterwards.

    Sends the bytes the process holds before the call, then an `Attempt`.
    """
    started = time.monotonic()
    device = torch.device(request.device)
    outcome: Outcome = "fits"
    reason = ""
    memory = PeakMemory(device)
    try:
        method = ready_method(resolve(request.method), request.weights, device, request.linear)
        call = MethodCall(method, request.precision)
        _limit(device, request.budget)
        report.send(resident_bytes())
        with memory:
            images = torch.rand(1, 3, 3, height, width, device=device)
            call(Bracket(images, EVS, camera_response("sigmoid")))
    except (OutOfMemoryError, MemoryError, torch.OutOfMemoryError) as error:
        outcome, reason = "out-of-memory", str(error)
    except MethodFailedError as error:
        outcome, reason = "failed", f"it {error}"
    except Exception as error:  # a method is anyone's code
        outcome, reason = "failed", f"{type(error).__name__}: {error}"
    one_line = " ".join(reason.split())[:300]
    seconds = time.monotonic() - started
    report.send(Attempt(height, width, outcome, memory.bytes, seconds, one_line))


def within(budget: int, tried: Attempt) -> Attempt:
    """The same try, "out-of-memory" where its peak is known to lie above the budget."""
    if tried.outcome != "fits" or tried.peak_bytes is None or tried.peak_bytes <= budget:
        return tried
    return replace(
        tried,
        outcome="out-of-memory",
        reason=f"it took {tried.peak_bytes:,} bytes, the budget is {budget:,}",
    )


def _limit(device: torch.device, budget: int) -> None:
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
        allowed = torch.cuda.memory_reserved(device) + budget
        torch.cuda.set_per_process_memory_fraction(min(1.0, allowed / total), device)
        return
    allowed = (resident_bytes("VmData") or 0) + 2 * budget + _RESERVED
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        allowed = min(allowed, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, hard))
