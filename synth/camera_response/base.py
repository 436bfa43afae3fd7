"""What every camera response model offers, and how it treats its arguments."""

import math
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, overload

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CameraResponse(ABC):
    """A camera response function f and its brightness transform function g.

    f turns relative scene light E into brightness B; g turns the brightness of a picture
    into the brightness it would have had at k times the exposure. Arguments are of any
    shape, or plain numbers, and are worked on in float64. Nothing is clipped. Where a
    formula has no real value (a negative power base, say) the result is NaN, without a
    warning.

    Source: Ren, Ying, Li, Li, "LECARM: Low-Light Image Enhancement Using the Camera Response
    Model", IEEE TCSVT 2019, and the authors' MATLAB classes, whose default parameters and
    formulas these are.

    Attributes:
        name: the model's lower-case name, as in `MODELS` and in a dataset's manifest.
        rule: what the parameters must satisfy, in words.

    Raises:
        ValueError: a parameter is not a finite number or breaks `rule`.
    """

    name: ClassVar[str]
    rule: ClassVar[str]

    def __post_init__(self) -> None:
        for field in fields(self):
            given = getattr(self, field.name)
            value = _finite(given)
            if value is None:
                raise ValueError(
                    f"{self.name}: the parameter {field.name} must be a finite number, "
                    f"got {given!r}"
                )
            object.__setattr__(self, field.name, value)
        if not self._obeys_rule():
            raise ValueError(f"{self.name}: {self.rule}, got {self._listed()}")

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters by name: `camera_response(r.name, **r.parameters) == r`."""
        return asdict(self)

    @overload
    def response(self, E: float) -> float: ...
    @overload
    def response(self, E: NDArray[Any]) -> Floats: ...
    def response(self, E: float | NDArray[Any]) -> float | Floats:
        """The camera response function: B = f(E).

        Args:
            E: relative scene light, any shape, >= 0; 1 exposes to about full brightness.
                Infinite light gives the value f tends to.

        Returns:
            Brightness, float64, the shape of `E`, not clipped.
        """
        with np.errstate(all="ignore"):
            return self._f(np.asarray(E, np.float64))

    @overload
    def inverse_response(self, B: float) -> float: ...
    @overload
    def inverse_response(self, B: NDArray[Any]) -> Floats: ...
    def inverse_response(self, B: float | NDArray[Any]) -> float | Floats:
        """The light that gives a brightness: E = f⁻¹(B).

        Args:
            B: brightness, any shape, in [0, 1].

        Returns:
            Relative scene light, float64, the shape of `B`: infinite at a brightness f only
            tends to, NaN at one it never has.
        """
        with np.errstate(all="ignore"):
            return self._f_inverse(np.asarray(B, np.float64))

    @overload
    def brightness_transform(self, B: float, k: float) -> float: ...
    @overload
    def brightness_transform(self, B: NDArray[Any], k: float | NDArray[Any]) -> Floats: ...
    def brightness_transform(
        self, B: float | NDArray[Any], k: float | NDArray[Any]
    ) -> float | Floats:
        """The brightness at another exposure: g(B, k), with g(B, 1) = B.

        Args:
            B: brightness, any shape, in [0, 1].
            k: exposure ratio, > 0 and finite, of a shape that broadcasts with `B`: 2 is one
                stop more light.

        Returns:
            Brightness, float64, the broadcast shape, not clipped.

        Raises:
            ValueError: `k` holds a value that is not a positive finite number.
        """
        k = np.asarray(k, np.float64)
        if not ((k > 0) & (k < np.inf)).all():
            raise ValueError(
                "the exposure ratio k must be positive and finite (k = 2**EV), "
                f"got values from {np.min(k):g} to {np.max(k):g}"
            )
        with np.errstate(all="ignore"):
            return self._g(np.asarray(B, np.float64), k)

    @abstractmethod
    def _f(self, E: Floats) -> Floats: ...

    @abstractmethod
    def _f_inverse(self, B: Floats) -> Floats: ...

    @abstractmethod
    def _g(self, B: Floats, k: Floats) -> Floats: ...

    @abstractmethod
    def _obeys_rule(self) -> bool: ...

    def _listed(self) -> str:
        return ", ".join(f"{name}={value:g}" for name, value in self.parameters.items())


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return None
    number = float(value)
    return number if math.isfinite(number) else None
