"""From a video's colour tags to the filters that make 8-bit RGB of it, and what was assumed.

Nothing is left to ffmpeg's defaults, which take BT.601 for every untagged video.
"""

from dataclasses import replace

from dmef_bench.video.clip import Colour, bits_of, is_rgb
from dmef_bench.video.ffmpeg import SCALER_FLAGS, Filter
from dmef_bench.video.showinfo import FrameInfo

HDR_TRANSFERS = {"smpte2084": "PQ", "arib-std-b67": "HLG"}
SDR_TRANSFERS = frozenset(
    {
        "bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "bt1361e",
        "iec61966-2-1", "iec61966-2-4", "bt2020-10", "bt2020-12",
    }
)  # fmt: skip
# A video's matrix -> the scale filter's word for it; "gbr" needs none.
MATRICES = {
    "bt709": "bt709",
    "smpte170m": "smpte170m",
    "bt470bg": "bt470",
    "fcc": "fcc",
    "smpte240m": "smpte240m",
    "bt2020nc": "bt2020",
}
_UNSAID = frozenset({"unknown", "reserved"})
# 1.0 in linear light stands for 100 cd/m²; the curve ends at ten times that.
_NOMINAL_PEAK, _CURVE_PEAK = 100, 10
# Of HDR video; what zscale can convert from.
HDR_PRIMARIES = frozenset({"bt709", "bt2020", "smpte431", "smpte432", "smpte170m", "bt470bg"})
_TONE_MAP_POLICY = (
    "{kind} tone-mapped: {light} to linear BT.709, 1.0 for {white} cd/m²; Hable's curve on the "
    "largest of R, G and B, peak {peak}, desaturation 0; clipped to BT.709 for a BT.1886 display, "
    "8 bit, no dither; filters {filters}"
)
_DISPLAY_LIGHT = {
    "smpte2084": "display light (BT.2100 PQ EOTF)",
    "arib-std-b67": "display light (BT.2100 HLG, 1000 cd/m², system gamma 1.2)",
}


def resolve_colour(frame: FrameInfo) -> Colour:
    """The colour of a clip from the tags of a frame; rules fill in what they don't say.

    Untagged matrix: RGB stays RGB; pictures at least 1280 wide or more than 576 high are BT.709,
    smaller ones BT.601. Untagged range: full for ffmpeg's yuvj formats and RGB, limited otherwise.
    Untagged transfer and primaries: BT.709. A transfer is never assumed for BT.2020 video, which
    may be HDR: it stays "unknown".
    """
    assumed = []
    rgb = is_rgb(frame.pixel_format)
    matrix, primaries, transfer = frame.matrix, frame.primaries, frame.transfer
    if rgb:
        matrix = "gbr"
    elif matrix in _UNSAID:
        matrix = "bt709" if frame.width >= 1280 or frame.height > 576 else "smpte170m"
        assumed.append("matrix")
    if frame.range not in _UNSAID:
        full = frame.range == "pc"
    else:
        full = rgb or frame.pixel_format.startswith("yuvj")
        assumed.append("range")
    if transfer in _UNSAID and not {matrix, primaries} & {"bt2020nc", "bt2020c", "bt2020"}:
        transfer = "bt709"
        assumed.append("transfer")
    if primaries in _UNSAID:
        primaries = "bt2020" if matrix == "bt2020nc" else "bt709"
        assumed.append("primaries")
    colour = Colour(
        matrix=matrix,
        range="full" if full else "limited",
        transfer=transfer,
        primaries=primaries,
        assumed=tuple(assumed),
    )
    return replace(colour, policy=_policy(colour, bits_of(frame.pixel_format)))


def _policy(colour: Colour, bits: int) -> str:
    if colour.transfer in HDR_TRANSFERS:
        return _TONE_MAP_POLICY.format(
            kind=HDR_TRANSFERS[colour.transfer],
            light=_DISPLAY_LIGHT[colour.transfer],
            white=_NOMINAL_PEAK,
            peak=_CURVE_PEAK,
            filters=",".join(map(str, to_rgb(colour))),
        )
    return "none" if bits == 8 else f"{bits} bit rounded to 8 bit, no dither"


def to_rgb(colour: Colour) -> tuple[Filter, ...]:
    """Filters from the decoded frame to rgb24, full range; HDR is tone-mapped as `policy` says."""
    if colour.transfer in HDR_TRANSFERS:
        return _tone_map(colour)
    scale: dict[str, str | int] = {
        "in_range": colour.range,
        "out_range": "full",
        "flags": SCALER_FLAGS,
        "sws_dither": "none",
    }
    if colour.matrix != "gbr":
        scale["in_color_matrix"] = MATRICES[colour.matrix]
    return Filter("scale", scale), Filter("format", {"pix_fmts": "rgb24"})


def _tone_map(colour: Colour) -> tuple[Filter, ...]:
    rgb: dict[str, str | int] = {"primaries": "bt709", "matrix": "gbr", "range": "full"}
    from_video: dict[str, str | int] = {
        "matrixin": colour.matrix,
        "transferin": colour.transfer,
        "primariesin": colour.primaries,
        "rangein": colour.range,
        "filter": "bicubic",
        "dither": "none",
        # Its quicker tables apply HLG's system gamma to each component instead of the luminance.
        "agamma": 0 if colour.transfer == "arib-std-b67" else 1,
    }
    from_linear: dict[str, str | int] = {
        "matrixin": "gbr",
        "transferin": "linear",
        "primariesin": "bt709",
        "rangein": "full",
        "dither": "none",
    }
    return (
        Filter("zscale", from_video | rgb | {"transfer": "linear", "npl": _NOMINAL_PEAK}),
        Filter("format", {"pix_fmts": "gbrpf32le"}),
        # A fixed peak: otherwise the curve would follow each frame's own metadata.
        Filter("tonemap", {"tonemap": "hable", "desat": 0, "peak": _CURVE_PEAK}),
        Filter("zscale", from_linear | rgb | {"transfer": "bt709"}),
        Filter("format", {"pix_fmts": "gbrp"}),
        Filter("format", {"pix_fmts": "rgb24"}),
    )
