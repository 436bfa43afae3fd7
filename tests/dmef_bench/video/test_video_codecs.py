"""Each codec in its containers: probed, accepted, chosen, extracted, every value compared."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from known_colours import Known, even, number_of, wanted, write
from media import run_encoder

from dmef_bench.video import Clip, Rejected, Rules, accept, choose_frames, extract_frames, probe
from dmef_bench.video.clip import has_alpha

RULES = Rules(min_height=180, hdr="tonemap")
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:lossless=1")
VP9 = ("-c:v", "libvpx-vp9", "-lossless", "1", "-deadline", "realtime", "-cpu-used", "8")
AOM = ("-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-aom-params", "lossless=1")
SVT = ("-c:v", "libsvtav1", "-preset", "10", "-svtav1-params", "lossless=1")
RAV1E = ("-c:v", "librav1e", "-speed", "10", "-qp", "20")
HQ = ("-c:v", "prores_ks", "-profile:v", "hq")
P4444 = ("-c:v", "prores_ks", "-profile:v", "4444")

HLG = Known(X265, ".mp4", "yuv420p10le", "bt2020nc", False, "arib-std-b67", "bt2020")
PQ = replace(HLG, transfer="smpte2084")

# Known clip, codec and pixel format that must be found, levels by which even areas may differ.
CLIPS = {
    "hlg phone": (HLG, "hevc", "yuv420p10le", 1),
    "hlg full range": (replace(HLG, full=True), "hevc", "yuv420p10le", 1),
    "hlg 4:2:2": (replace(HLG, pixel_format="yuv422p10le", suffix=".mov"), "hevc", None, 1),
    "hlg prores": (
        replace(HLG, encoder=HQ, pixel_format="yuv422p10le", suffix=".mov"), "prores", None, 2,
    ),
    "pq hdr10": (PQ, "hevc", "yuv420p10le", 1),
    "pq vp9 profile 2": (replace(PQ, encoder=VP9, suffix=".webm"), "vp9", "yuv420p10le", 1),
    "pq av1": (replace(PQ, encoder=AOM, suffix=".mkv"), "av1", "yuv420p10le", 1),
    "pq display p3": (replace(PQ, primaries="smpte432"), "hevc", "yuv420p10le", 1),
    "prores 4:2:2": (Known(HQ, ".mov", "yuv422p10le"), "prores", "yuv422p10le", 1),
    "prores 4444": (Known(P4444, ".mov", "yuv444p10le"), "prores", "yuv444p12le", 1),
    "vp9 webm": (Known(VP9, ".webm"), "vp9", "yuv420p", 1),
    "vp9 mkv 4:4:4": (Known(VP9, ".mkv", "yuv444p"), "vp9", "yuv444p", 1),
    "vp9 mp4 full range": (Known(VP9, ".mp4", full=True), "vp9", "yuv420p", 1),
    "vp9 odd": (Known(VP9, ".webm", width=321, height=181), "vp9", "yuv420p", 1),
    "vp9 variable rate": (Known(VP9, ".webm", times="2000*N+100*N*N"), "vp9", "yuv420p", 1),
    "av1 mp4": (Known(AOM, ".mp4"), "av1", "yuv420p", 1),
    "av1 mkv 4:4:4": (Known(AOM, ".mkv", "yuv444p10le"), "av1", "yuv444p10le", 1),
    "av1 odd": (Known(AOM, ".webm", width=321, height=181), "av1", "yuv420p", 1),
    "av1 svt": (Known(SVT, ".webm", "yuv420p10le", full=True), "av1", "yuv420p10le", 1),
    "av1 rav1e": (Known(RAV1E, ".mkv"), "av1", "yuv420p", 6),
}  # fmt: skip


def _extracted(path: Path) -> tuple[Clip, tuple[np.ndarray, ...]]:
    clip = probe(path)
    accept(clip, RULES)
    choice = choose_frames(clip)
    assert choice.raw is not None
    frames = extract_frames(clip, choice)
    for frame, again in zip(frames, extract_frames(clip, replace(choice, raw=None)), strict=True):
        assert np.array_equal(frame, again)
    return clip, frames


def _compare(known: Known, frames: tuple[np.ndarray, ...], most: int) -> None:
    numbers = [number_of(known, frame) for frame in frames]
    assert numbers == sorted(set(numbers))
    for number, frame in zip(numbers, frames, strict=True):
        inside = even(known, number)
        assert inside.mean() > 0.1
        difference = np.abs(frame.astype(int) - wanted(known, number))[inside]
        assert difference.max() <= most


@pytest.mark.parametrize("name", CLIPS)
def test_the_values_of_the_source_come_back(tmp_path: Path, name: str) -> None:
    known, codec, pixel_format, most = CLIPS[name]
    clip, frames = _extracted(write(known, tmp_path / f"a{known.suffix}"))
    assert (clip.codec, clip.pixel_format) == (codec, pixel_format or known.pixel_format)
    assert (clip.width, clip.height, clip.colour.assumed) == (known.width, known.height, ())
    assert (clip.colour.range == "full") == known.full
    _compare(known, frames, most)


@pytest.mark.parametrize(
    ("suffix", "before", "after"),
    [
        (".mp4", ("-display_rotation", "270"), ()),
        (".mkv", (), ("-metadata:s:v", "rotate=90")),
    ],
)
def test_an_upright_phone_video_in_hlg(
    tmp_path: Path, suffix: str, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    path = write(HLG, tmp_path / "lying.mp4")
    turned = tmp_path / f"turned{suffix}"
    run_encoder(*before, "-i", str(path), "-c", "copy", *after, str(turned))
    clip, frames = _extracted(turned)
    assert (clip.width, clip.height, clip.rotation) == (180, 320, 90)
    first, second, third = (np.rot90(frame) for frame in frames)
    _compare(HLG, (first, second, third), 1)


@pytest.mark.parametrize(
    "known",
    [
        Known(P4444, ".mov", "yuva444p10le"),
        Known((*VP9[:2], "-auto-alt-ref", "0", "-b:v", "1M", *VP9[4:]), ".webm", "yuva420p"),
    ],
)
def test_transparent_video_is_turned_down(tmp_path: Path, known: Known) -> None:
    clip = probe(write(known, tmp_path / f"a{known.suffix}"))
    with pytest.raises(Rejected, match="alpha channel") as caught:
        accept(clip, RULES)
    assert caught.value.code == "alpha"


def test_a_dolby_vision_tag_on_a_base_layer_in_hlg(tmp_path: Path) -> None:
    known = replace(HLG, encoder=(*X265, "-tag:v", "hvc1"))
    path = write(known, tmp_path / "a.mp4")
    content = path.read_bytes()
    assert content.count(b"hvc1") == 1 + content[:32].count(b"hvc1")
    path.write_bytes(content.replace(b"hvc1", b"dvh1"))
    clip, frames = _extracted(path)
    assert clip.colour.transfer == "arib-std-b67"
    _compare(known, frames, 1)


@pytest.mark.parametrize("transfer", ["arib-std-b67", "smpte2084"])
def test_the_policy_states_all_that_was_done(tmp_path: Path, transfer: str) -> None:
    policy = probe(write(replace(HLG, transfer=transfer), tmp_path / "a.mp4")).colour.policy
    for part in ("Hable", "peak 10", "desaturation 0", "100 cd/m²", "BT.1886"):
        assert part in policy
    filters = policy.partition("; filters ")[2]
    assert filters.startswith(f"zscale=matrixin=bt2020nc:transferin={transfer}:")
    assert "tonemap=tonemap=hable:desat=0:peak=10," in filters
    assert filters.endswith(",format=pix_fmts=rgb24")


def test_primaries_that_cannot_be_converted(tmp_path: Path) -> None:
    clip = probe(write(HLG, tmp_path / "a.mp4"))
    clip = replace(clip, colour=replace(clip.colour, primaries="film"))
    with pytest.raises(Rejected, match="primaries are film") as caught:
        accept(clip, RULES)
    assert caught.value.code == "unsupported-colour"


def test_which_pixel_formats_are_transparent() -> None:
    transparent = ("yuva444p12le", "yuva420p", "gbrap10le", "rgba", "bgra", "argb", "ya8", "pal8")
    opaque = ("yuv420p", "yuvj420p", "gbrp", "0bgr", "bgr0", "rgb24", "gray", "p010le")
    assert all(map(has_alpha, transparent))
    assert not any(map(has_alpha, opaque))
