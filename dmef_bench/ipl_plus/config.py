"""The sizes of an IPL+ network."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class IPLPlusConfig:
    """How an IPL+ network is built; the defaults are the configuration that is shipped.

    Attributes:
        knots: of each tone curve, equally spaced over [0, 1].
        features: channels of the features that are matched.
        radius: of the search around each pixel of a pyramid's level, in that level's pixels.
        coarsest: shorter side in pixels below which the pyramid has no further level.
        width: channels of the U-Net at half resolution; 1.5 times as many at a quarter, 2 times
            below.
        align: whether the outer exposures are aligned; without, they are taken as they lie.
    """

    knots: int = 65
    features: int = 24
    radius: int = 2
    coarsest: int = 8
    width: int = 32
    align: bool = True

    def __post_init__(self) -> None:
        limits = {
            "knots": (2, 4096), "features": (1, 256), "radius": (1, 8), "coarsest": (4, 1024),
            "width": (2, 256),
        }  # fmt: skip
        for name, (least, largest) in limits.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= largest:
                raise ValueError(f"IPLPlusConfig.{name} is {least} to {largest}, got {value!r}")
        if self.width % 2:
            raise ValueError(f"IPLPlusConfig.width is even, got {self.width}")
        if type(self.align) is not bool:
            raise ValueError(f"IPLPlusConfig.align is true or false, got {self.align!r}")

    def to_json(self) -> str:
        """The configuration as one line of JSON, for the metadata of a weights file."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "IPLPlusConfig":
        """Read what `to_json` wrote; a field that is not there keeps its default.

        Raises:
            ValueError: no JSON object, an unknown field, or a value out of range.
        """
        try:
            fields = json.loads(text)
        except RecursionError:
            raise ValueError("an IPL+ configuration is a JSON object, not a deep nest") from None
        if not isinstance(fields, dict):
            raise ValueError(f"an IPL+ configuration is a JSON object, got {text[:80]!r}")
        return cls()._with(fields)

    def changed(self, texts: Mapping[str, str]) -> "IPLPlusConfig":
        """This configuration with fields replaced by values written as text ("width": "24").

        Raises:
            ValueError: an unknown field, or a value of the wrong kind or out of range.
        """
        values: dict[str, object] = {}
        for name, text in texts.items():
            try:
                values[name] = json.loads(text)
            except ValueError:
                raise ValueError(
                    f"IPLPlusConfig.{name} is a whole number, true or false; got {text!r}"
                ) from None
        return self._with(values)

    def _with(self, fields: Mapping[str, object]) -> "IPLPlusConfig":
        known = [field.name for field in dataclasses.fields(self)]
        for name in fields:
            if name not in known:
                raise ValueError(f"IPLPlusConfig has no field {name!r}; it has {', '.join(known)}")
        values: dict[str, object] = dict(fields)
        return dataclasses.replace(self, **values)  # type: ignore[arg-type]
