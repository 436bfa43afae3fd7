from dataclasses import replace

import pytest
from media import Media

from dmef_bench.video import Clip, Rejected, Rules, accept, probe
from dmef_bench.video.clip import Orientation

LOW = Rules(min_height=180)


@pytest.fixture
def clip(media: Media) -> Clip:
    return probe(media.clip())


def _code(clip: Clip, rules: Rules = LOW) -> str | None:
    try:
        accept(clip, rules)
    except Rejected as rejected:
        assert rejected.reason
        return rejected.code
    return None


@pytest.mark.parametrize(
    ("width", "height", "turns", "code"),
    [
        (3840, 2160, 0, None),
        (4096, 2160, 0, None),
        (2160, 3840, 0, None),
        (3840, 2160, 1, None),
        (3840, 2158, 0, "too-small"),
        (2158, 3840, 1, "too-small"),
        (7680, 1080, 0, "too-small"),
    ],
)
def test_4k_counts_by_the_shorter_side(
    clip: Clip, width: int, height: int, turns: int, code: str | None
) -> None:
    changed = replace(clip, coded_width=width, coded_height=height, orientation=Orientation(turns))
    assert _code(changed, Rules()) == code


def test_min_height_lets_smaller_videos_in(clip: Clip) -> None:
    assert _code(clip) is None
    assert _code(clip, Rules(min_height=181)) == "too-small"


def _coloured(clip: Clip, **changes: str) -> Clip:
    return replace(clip, colour=replace(clip.colour, assumed=(), **changes))


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_hdr_needs_leave(clip: Clip, transfer: str) -> None:
    hdr = _coloured(clip, matrix="bt2020nc", transfer=transfer)
    assert _code(hdr) == "hdr"
    assert _code(hdr, Rules(180, hdr="tonemap")) is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"transfer": "bt2020-10", "matrix": "bt2020nc"}, None),
        ({"transfer": "iec61966-2-1"}, None),
        ({"matrix": "gbr"}, None),
        ({"transfer": "linear"}, "unsupported-colour"),
        ({"transfer": "log100"}, "unsupported-colour"),
        ({"transfer": "unknown"}, "unsupported-colour"),
        ({"matrix": "ictcp"}, "unsupported-colour"),
        ({"matrix": "bt2020c"}, "unsupported-colour"),
    ],
)
def test_colours_that_can_and_cannot_be_converted(
    clip: Clip, changes: dict[str, str], code: str | None
) -> None:
    assert _code(_coloured(clip, **changes)) == code


def test_dolby_vision_counts_by_its_base_layer(clip: Clip) -> None:
    tonemap = Rules(180, hdr="tonemap")
    base = replace(_coloured(clip, matrix="bt2020nc", transfer="arib-std-b67"), dolby_vision=True)
    assert (_code(base), _code(base, tonemap)) == ("hdr", None)
    assert _code(replace(_coloured(clip, transfer="bt709"), dolby_vision=True)) is None
    bare = replace(clip, dolby_vision=True)
    assert "transfer" in bare.colour.assumed
    assert (_code(bare), _code(bare, tonemap)) == ("hdr", "hdr")


def test_other_reasons(clip: Clip, media: Media) -> None:
    assert _code(probe(media.clip(codec="h264-interlaced"))) == "interlaced"
    assert _code(probe(media.clip(output=("-aspect", "4:3")))) == "non-square-pixels"
    assert _code(replace(clip, sample_aspect=(4095, 4096))) is None
    assert _code(probe(media.clip(count=2))) == "too-short"


def test_real_hdr_files_are_known_by_their_tags(media: Media) -> None:
    tags = ("-vf", "setparams=range=limited:colorspace=bt2020nc:color_primaries=bt2020"
            ":color_trc=smpte2084")  # fmt: skip
    hdr = probe(media.clip(codec="hevc", pixel_format="yuv420p10le", tags=tags))
    assert (hdr.colour.transfer, _code(hdr)) == ("smpte2084", "hdr")
