"""One call of a method: size rule, precision, clock, and what may go wrong with it."""

from typing import Any, Final

import cv2
import torch
from torch import Tensor

from baselines import Bracket, Method
from dmef_bench.errors import UsageError
from dmef_bench.evaluation.protocols import crop_to, reflect_to
from dmef_bench.evaluation.timing import Stopwatch

PRECISIONS: Final = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
# torch's CPU allocator raises a plain RuntimeError.
_NO_MEMORY_WORDS = ("not enough memory", "can't allocate memory", "out of memory")


class MethodFailedError(Exception):
    """A method raised or returned no picture; the message is one line that says which."""


class OutOfMemoryError(MethodFailedError):
    """The picture is too large for the memory there is; the message is one line."""


class MethodCall:
    """Calls a loaded method as the protocols need it, and times it.

    Each call pads (reflect) to the method's size rule, gives the tensors the precision, and crops
    and converts back; only `Method.fuse` itself is inside the clock.

    Attributes:
        method: the method.
        stopwatch: seconds inside `Method.fuse`; set it back by replacing it.
    """

    def __init__(self, method: Method, precision: str) -> None:
        """Bring the method's network to `precision`.

        Raises:
            UsageError: another precision than float32 for a method without a network.
        """
        self.method = method
        self._dtype = PRECISIONS[precision]
        self.stopwatch = Stopwatch(method.device)
        network = method.network()
        if self._dtype != torch.float32:
            if network is None:
                raise UsageError(
                    f"{method.info.name} has no network to run in {precision}; use float32"
                )
            network.to(self._dtype)

    def __call__(self, bracket: Bracket) -> Tensor:
        """Fuse a bracket of any size.

        Args:
            bracket: images (B, 3, 3, H, W) float32 on the method's device.

        Returns:
            (B, 3, H, W) float32.

        Raises:
            MethodFailedError: the method raised, or returned no tensor of the right shape.
            OutOfMemoryError: the memory is too small.
        """
        height, width = bracket.size
        fitted = self.method.info.size.fit(height, width)
        try:
            given = bracket.map(lambda images: reflect_to(images, *fitted).to(self._dtype))
            with torch.no_grad(), self.stopwatch:
                picture = self.method.fuse(given)
        except Exception as error:  # a method is anyone's code
            raise failure(error) from error
        expected = (bracket.images.shape[0], 3, *fitted)
        self._check(picture, expected)
        return crop_to(picture.detach().to(bracket.images), height, width)

    def _check(self, picture: Any, expected: tuple[int, ...]) -> None:  # noqa: ANN401
        if not isinstance(picture, Tensor):
            raise MethodFailedError(f"returned {type(picture).__name__} instead of a tensor")
        if tuple(picture.shape) != expected:
            raise MethodFailedError(
                f"returned shape {tuple(picture.shape)} for a bracket that needs {expected}"
            )
        if not picture.is_floating_point():
            raise MethodFailedError(f"returned {picture.dtype} instead of floats in [0, 1]")


def check_finite(picture: Tensor) -> None:
    """Refuse a prediction with NaN or infinite values.

    Raises:
        MethodFailedError: names how many values are not finite.
    """
    broken = int(torch.count_nonzero(~torch.isfinite(picture)))
    if broken:
        raise MethodFailedError(f"returned NaN or infinity in {broken:,} of its values")


def failure(error: Exception) -> MethodFailedError:
    """What a method raised, as one line.

    Returns:
        An OutOfMemoryError where that is what the error says.
    """
    first = " ".join(str(error).split())[:300]
    said = f"{type(error).__name__}: {first}" if first else type(error).__name__
    if is_out_of_memory(error):
        return OutOfMemoryError(f"out of memory ({said})")
    return MethodFailedError(f"raised {said}")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that torch, NumPy or OpenCV got no memory."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, cv2.error):
        return bool(error.code == cv2.Error.STS_NO_MEM)
    words = str(error).lower()
    return isinstance(error, RuntimeError) and any(word in words for word in _NO_MEMORY_WORDS)
