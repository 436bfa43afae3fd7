"""The calls before the clock starts: MACs and memory are measured, caches fill."""

from baselines import Bracket
from dmef_bench.evaluation.macs import count_macs
from dmef_bench.evaluation.memory import PeakMemory
from dmef_bench.evaluation.method_call import MethodCall, MethodFailedError, OutOfMemoryError
from dmef_bench.evaluation.protocols import Protocol, crop_to
from leaderboard.records import CostRecord


def measure_cost(
    call: MethodCall, protocol: Protocol, bracket: Bracket
) -> tuple[CostRecord, str | None]:
    """Call the method at the size the protocol uses: counting its MACs, then as it will be timed.

    The counter sees every operation, so that methods with a faster path don't take it. Memory is
    therefore measured in a call of its own, which also warms up what the clock will see.

    The size is cut from the picture's corner; all calls of a protocol have the same size, so the
    MACs of a picture are those of one call times the number of calls.

    Args:
        call: the method.
        protocol: how it is fed.
        bracket: a whole scene on the method's device.

    Returns:
        The cost without any time, and a note where the MACs could not be counted.

    Raises:
        MethodFailedError: the method raised or returned no picture.
        OutOfMemoryError: the memory is too small.
    """
    size = protocol.call_size(*bracket.size)
    piece = bracket.map(lambda images: crop_to(images, *size))
    macs, note = None, None
    if call.method.network() is not None:
        try:
            macs = count_macs(lambda: call(piece)) * protocol.calls(*bracket.size)
        except OutOfMemoryError:
            raise
        except MethodFailedError as error:
            note = f"{call.method.info.name}: its MACs can't be counted: it {error}"
    memory = PeakMemory(call.method.device)
    with memory:
        call(piece)
    cost = CostRecord(
        macs=macs,
        macs_size=None if macs is None else call.method.info.size.fit(*size),
        peak_memory_bytes=memory.bytes,
        memory_kind=memory.kind,
    )
    return cost, note
