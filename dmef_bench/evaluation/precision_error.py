"""What half precision changes in a method's picture."""

from baselines import Bracket
from dmef_bench.evaluation.method_call import MethodCall, OutOfMemoryError, check_finite
from dmef_bench.evaluation.options import RunOptions
from dmef_bench.evaluation.protocols import Protocol, crop_to
from dmef_bench.evaluation.ready_method import ready_method
from leaderboard.records import PrecisionRecord


def precision_error(
    call: MethodCall, protocol: Protocol, bracket: Bracket, options: RunOptions
) -> PrecisionRecord | None:
    """Compare one call with the same call in float32, at the size the protocol uses.

    Args:
        call: in another precision.
        protocol: how the method is fed.
        bracket: a whole scene on the method's device; its corner is taken.
        options: weights and device of the run.

    Returns:
        The difference; None where float32 does not fit the memory.

    Raises:
        MethodFailedError: the method raised, or returned no picture or one with NaN.
    """
    size = protocol.call_size(*bracket.size)
    piece = bracket.map(lambda images: crop_to(images, *size))
    exact = ready_method(type(call.method), options.weights, options.device, options.linear)
    try:
        wanted = MethodCall(exact, "float32")(piece)
    except OutOfMemoryError:
        return None
    picture = call(piece)
    check_finite(picture)
    check_finite(wanted)
    difference = picture - wanted
    norm = float(wanted.norm())
    return PrecisionRecord(
        relative=float(difference.norm()) / norm if norm else 0.0,
        largest=float(difference.abs().max()),
    )
