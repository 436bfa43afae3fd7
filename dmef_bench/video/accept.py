"""Which probed videos may become scenes."""

from dataclasses import dataclass
from typing import Literal

from dmef_bench.video.clip import Clip
from dmef_bench.video.colour import HDR_PRIMARIES, HDR_TRANSFERS, MATRICES, SDR_TRANSFERS
from dmef_bench.video.rejected import Rejected


@dataclass(frozen=True)
class Rules:
    """What a video must be.

    Attributes:
        min_height: of its shorter side in pixels, so that portrait videos count like any other.
        hdr: what becomes of PQ and HLG video: turned down, or tone-mapped as `Colour.policy` says.
    """

    min_height: int = 2160
    hdr: Literal["reject", "tonemap"] = "reject"


# Anamorphic pixels would be shown out of shape; a hundredth is what rounding of sizes leaves.
_ASPECT_TOLERANCE = 0.01


def accept(clip: Clip, rules: Rules) -> None:
    """Say nothing where the clip may be used.

    Raises:
        Rejected: "too-small", "too-short", "interlaced", "non-square-pixels", "alpha",
            "hdr" or "unsupported-colour".
    """
    if min(clip.width, clip.height) < rules.min_height:
        raise Rejected(
            "too-small",
            f"it is {clip.width}×{clip.height}; the shorter side must have "
            f"{rules.min_height} pixels (--min-height)",
        )
    if len(clip.container_ticks) < 3:
        raise Rejected(
            "too-short", f"it has {len(clip.container_ticks)} frames and a scene needs three"
        )
    if clip.interlaced:
        raise Rejected("interlaced", "it is interlaced; deinterlace it first, or use another video")
    wide, high = clip.sample_aspect
    if wide and high and abs(wide / high - 1) > _ASPECT_TOLERANCE:
        raise Rejected("non-square-pixels", f"its pixels are {wide}:{high} and not square")
    if clip.has_alpha:
        raise Rejected(
            "alpha",
            "it has an alpha channel, and what shines through is not in the file; "
            "export it without one",
        )
    _accept_colour(clip, rules)


def _accept_colour(clip: Clip, rules: Rules) -> None:
    colour = clip.colour
    if clip.dolby_vision and (colour.transfer == "unknown" or "transfer" in colour.assumed):
        raise Rejected("hdr", "it is Dolby Vision without a base layer that plain decoders show")
    if colour.matrix != "gbr" and colour.matrix not in MATRICES:
        raise Rejected("unsupported-colour", f"its colour matrix is {colour.matrix}")
    if colour.transfer in HDR_TRANSFERS:
        if rules.hdr == "reject":
            raise Rejected(
                "hdr",
                f"it is HDR ({HDR_TRANSFERS[colour.transfer]}); --hdr tonemap would convert it",
            )
        if colour.primaries not in HDR_PRIMARIES:
            raise Rejected("unsupported-colour", f"its primaries are {colour.primaries}")
    elif colour.transfer == "unknown":
        raise Rejected(
            "unsupported-colour",
            "it is BT.2020 and does not say with which transfer, so that it may be HDR or not",
        )
    elif colour.transfer not in SDR_TRANSFERS:
        raise Rejected("unsupported-colour", f"its transfer is {colour.transfer}")
