"""The sizes of an IPL+ network."""

from dataclasses import dataclass

from dmef_bench.ipl.stored_config import StoredConfig


@dataclass(frozen=True)
class IPLPlusConfig(StoredConfig):
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
