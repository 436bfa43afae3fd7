"""The call before the clock starts: caches fill, and memory and MACs are measured."""

from baselines import Bracket
from dmef_bench.evaluation.macs import count_macs, prepare_to_count
from dmef_bench.evaluation.memory import PeakMemory
from dmef_bench.evaluation.method_call import MethodCall, MethodFailedError, OutOfMemoryError
from dmef_bench.evaluation.protocols import Protocol, crop_to
from leaderboard.records import CostRecord


def measure_cost(
    call: MethodCall, protocol: Protocol, bracket: Bracket
) -> tuple[CostRecord, str | None]:
    """Call the method once at the size the protocol uses; count its MACs meanwhile.

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
    memory = PeakMemory(call.method.device)
    if call.method.network() is None:
        with memory:
            call(piece)
        return _cost(memory, None), None
    prepare_to_count()
    try:
        with memory:
            macs = count_macs(lambda: call(piece)) * protocol.calls(*bracket.size)
    except OutOfMemoryError:
        raise
    except MethodFailedError as error:
        with memory:
            call(piece)  # is it the counting that the method can't bear?
        note = f"{call.method.info.name}: its MACs can't be counted: it {error}"
        return _cost(memory, None), note
    return _cost(memory, macs, call.method.info.size.fit(*size)), None


def _cost(
    memory: PeakMemory, macs: int | None, macs_size: tuple[int, int] | None = None
) -> CostRecord:
    return CostRecord(
        macs=macs,
        macs_size=macs_size,
        peak_memory_bytes=memory.bytes,
        memory_kind=memory.kind,
    )
