"""Folders and videos of alternating exposures, as a user fuses them."""

import json

import cv2
import numpy as np
import pytest
import torch
from media import run_encoder
from PIL import ExifTags, Image
from safetensors.torch import save_file

from dmef_bench.ipl.weights_file import SHIPPED, load_network, network_metadata
from dmef_bench.picture_files import encode_png, read_picture
from dmef_bench.video import probe
from dmef_bench.video.every_frame import every_frame

HEIGHT, WIDTH = 32, 48


@pytest.fixture(autouse=True)
def one_thread():
    """Tensors here are tiny: a second thread would only be waited for."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


EVS = (-1.5, 0.0, 1.5)


def frame(number, pattern=EVS):
    """A smooth picture that moves a pixel a frame, exposed as its number says."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    waves = 0.35 + 0.25 * np.sin((x + number)[..., None] / (5, 7, 9)) * np.cos(y[..., None] / 6)
    return np.rint((waves * 2.0 ** pattern[number % 3]).clip(0, 1) * 255).astype(np.uint8)


def folder_of(path, count, pattern=EVS):
    path.mkdir()
    for number in range(count):
        (path / f"take {number}.png").write_bytes(encode_png(frame(number, pattern)))
    return path


def video_of(path, count, pattern=EVS, codec=("ffv1", "-pix_fmt", "bgr0")):
    raw = b"".join(frame(number, pattern).tobytes() for number in range(count))
    run_encoder(
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", "24", "-i", "-",
        "-c:v", *codec, str(path), data=raw,
    )  # fmt: skip
    return path


def read_folder(path):
    return [read_picture(each) for each in sorted(path.glob("*.png"))]


def facts_of(ended):
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def fuse(dmef_bench, *arguments, method="copy-reference"):
    return dmef_bench("fuse", "--method", method, *arguments)


JSON = ("--format", "json", "-q")


@pytest.mark.parametrize("kind", ["folder", "video"])
@pytest.mark.parametrize("pattern", [EVS, (0.0, 1.5, -1.5)], ids=str)
def test_each_three_frames_give_a_picture_with_the_mid_as_reference(
    dmef_bench, tmp_path, kind, pattern
):
    if kind == "folder":
        source = folder_of(tmp_path / "takes", 11, pattern)
    else:
        source = video_of(tmp_path / "takes.mkv", 11, pattern)
    ev = "--ev=" + ",".join(map(str, pattern))
    facts = facts_of(fuse(dmef_bench, source, "-o", tmp_path / "out", ev, *JSON))
    assert (facts["results"], facts["kept"], facts["left_over_frames"]) == (3, 0, 2)
    mids = range(pattern.index(0.0), 9, 3)
    for found, number in zip(read_folder(tmp_path / "out"), mids, strict=True):
        assert np.array_equal(found, frame(number, pattern))


@pytest.mark.parametrize("count", [3, 4, 8])
def test_sliding_gives_a_picture_for_every_frame(dmef_bench, tmp_path, count):
    source = video_of(tmp_path / "takes.mkv", count)
    ended = fuse(dmef_bench, source, "-o", tmp_path / "out.mkv", "--sliding", "--ev=-2,0,2", *JSON)
    assert facts_of(ended)["results"] == count
    clip = probe(tmp_path / "out.mkv")
    assert len(clip.container_ticks) == count
    assert clip.presentation_times[1] == pytest.approx(1 / 24, abs=2e-3)
    starts = [min(max(number - 1, 0), count - 3) for number in range(count)]
    mids = [next(n for n in range(start, start + 3) if n % 3 == 1) for start in starts]
    for found, mid in zip(every_frame(clip), mids, strict=True):
        assert np.array_equal(found, frame(mid))


def test_low_and_high_are_those_of_the_window(dmef_bench, tmp_path):
    """A method of a file that shows what it was given."""
    (tmp_path / "look.py").write_text(
        "from baselines import Method, MethodInfo\n"
        "class Look(Method):\n"
        "    info = MethodInfo('look', 'Look', 2026, '', 'MIT', 'classical')\n"
        "    def fuse(self, bracket):\n"
        "        assert bracket.evs == (-2.0, 0.5, 2.0)\n"
        "        return bracket.high\n"
    )
    source = folder_of(tmp_path / "takes", 7, (0.5, 2.0, -2.0))
    arguments = (source, "-o", tmp_path / "out", "--sliding", "--ev=0.5,2,-2", "-q")
    ended = fuse(dmef_bench, *arguments, method=f"{tmp_path}/look.py:Look")
    assert ended.code == 0, ended.err
    for found, number in zip(read_folder(tmp_path / "out"), [1, 1, 1, 4, 4, 4, 4], strict=True):
        assert np.array_equal(found, frame(number, (0.5, 2.0, -2.0)))


@pytest.mark.parametrize(
    ("name", "codec"), [("o.mp4", "h264"), ("o.mov", "hevc"), ("o.mkv", "ffv1")]
)
def test_videos_are_written_by_their_names(dmef_bench, tmp_path, name, codec):
    source = folder_of(tmp_path / "takes", 6)
    ended = fuse(dmef_bench, source, "-o", tmp_path / name, "--fps", "12.5", "--ev=-2,0,2", *JSON)
    assert facts_of(ended)["results"] == 2
    clip = probe(tmp_path / name)
    assert (clip.codec, clip.width, clip.height) == (codec, WIDTH, HEIGHT)
    assert clip.presentation_times[1] - clip.presentation_times[0] == pytest.approx(0.08, abs=2e-3)
    for found, number in zip(every_frame(clip), (1, 4), strict=True):
        error = np.abs(found.astype(int) - frame(number))
        assert error.mean() < (6 if codec != "ffv1" else 1e-9)
    assert [path.name for path in tmp_path.glob("*o.*")] == [name]


def test_a_run_that_was_cut_short_goes_on(dmef_bench, tmp_path):
    source, output = folder_of(tmp_path / "takes", 12), tmp_path / "out"
    asked = (source, "-o", output, "--ev=-2,0,2")
    assert facts_of(fuse(dmef_bench, *asked, "--limit", "2", *JSON))["results"] == 2
    # What is there is not made again: a change of it stays.
    (output / "000001.png").write_bytes(encode_png(frame(0)))
    ended = fuse(dmef_bench, *asked)
    assert ended.code == 0
    assert "2 of 4 pictures were there already" in ended.err
    found = read_folder(output)
    assert np.array_equal(found[1], frame(0))
    assert np.array_equal(found[3], frame(10))
    ended = fuse(dmef_bench, *asked, "--sliding", "-q")
    assert ended.code == 2
    assert "fused with other settings (sliding: False and now True)" in ended.err
    assert facts_of(fuse(dmef_bench, *asked, "--sliding", "--overwrite", *JSON))["kept"] == 0
    assert len(read_folder(output)) == 12
    assert sorted(path.suffix for path in output.iterdir()) == [".json"] + [".png"] * 12


def test_files_of_others_are_never_touched(dmef_bench, tmp_path):
    source = folder_of(tmp_path / "takes", 3)
    for output in (tmp_path, source):
        ended = fuse(dmef_bench, source, "-o", output, "--ev=-2,0,2", "-q")
        assert ended.code == 2
        assert ended.err.count("\n") == 1
    assert len(list(source.iterdir())) == 3


def test_the_cache_is_used_and_told(dmef_bench, tmp_path):
    source = tmp_path / "takes"
    source.mkdir()
    for number in range(9):  # a fixed camera: three times the same three pictures
        (source / f"{number}.png").write_bytes(encode_png(frame(number % 3)))
    results = {}
    # The tolerance has to cover what keeping features in 8 bit changes in the blocks behind.
    for cache in ("off", "exact", "approximate:0.05", "position"):
        output = tmp_path / cache.partition(":")[0]
        ended = fuse(
            dmef_bench, source, "-o", output, "--cache", cache, "--ev=-2,0,2", *JSON, method="ipl"
        )
        facts = facts_of(ended)
        results[cache] = read_folder(output)
        if cache == "off":
            assert "cache" not in facts
        else:
            assert facts["cache"]["hits"] == 2 * facts["cache"]["misses"] > 0
            assert facts["cache"]["bytes"] > 0
            for found, plain in zip(results[cache], results["off"], strict=True):
                assert np.abs(found.astype(int) - plain).mean() < 4
    asked = (source, "-o", tmp_path / "half", "--cache", "exact", "--precision", "bf16")
    facts = facts_of(fuse(dmef_bench, *asked, "--ev=-2,0,2", *JSON, method="ipl"))
    assert facts["cache"]["hits"] == 2 * facts["cache"]["misses"] > 0
    # What depends on the pictures before is not resumed but made again.
    again = (source, "--cache", "position", "--ev=-2,0,2", *JSON)
    assert (
        facts_of(fuse(dmef_bench, *again, "-o", tmp_path / "position", method="ipl"))["kept"] == 0
    )
    again = (source, "--cache", "exact", "--ev=-2,0,2", *JSON)
    assert facts_of(fuse(dmef_bench, *again, "-o", tmp_path / "exact", method="ipl"))["kept"] == 3


def test_position_gives_the_gain_of_the_first_bracket(dmef_bench, tmp_path):
    source = folder_of(tmp_path / "takes", 6)
    for number in range(3, 6):
        (source / f"take {number}.png").write_bytes(encode_png(255 - frame(number)))
    pictures = {}
    for cache in ("off", "position"):
        asked = (source, "-o", tmp_path / cache, "--cache", cache, "--ev=-2,0,2", "-q")
        assert fuse(dmef_bench, *asked, method="ipl").code == 0
        pictures[cache] = [p.astype(int) for p in read_folder(tmp_path / cache)]
    first, second = (
        np.abs(a - b).mean() for a, b in zip(pictures["off"], pictures["position"], strict=True)
    )
    assert first < 4
    assert second > 10


@pytest.mark.parametrize("kind", ["quantised:16", "cnn-width", "cnn-channels", "none"])
def test_every_compression_of_the_cache_can_be_asked_for(dmef_bench, tmp_path, kind):
    source = folder_of(tmp_path / "takes", 3)
    asked = ("--cache", "exact", "--cache-compression", kind, "--cache-memory", "64MiB")
    ended = fuse(
        dmef_bench, source, "-o", tmp_path / "out", *asked, "--ev=-2,0,2", *JSON, method="ipl"
    )
    told = "exact, 16 bit" if kind == "quantised:16" else f"exact, {kind}"
    assert facts_of(ended)["cache"]["settings"] == told


def test_evs_come_from_exif_in_any_order(dmef_bench, tmp_path):
    source = tmp_path / "takes"
    source.mkdir()
    for number in range(6):
        exif = Image.Exif()
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExposureTime] = (0.04, 0.01, 0.02)[number % 3]
        Image.fromarray(frame(number, (1.0, -1.0, 0.0))).save(
            source / f"{9 + number}.jpg", exif=exif.tobytes(), quality=95
        )
    ended = fuse(dmef_bench, source, "-o", tmp_path / "out")
    assert ended.code == 0, ended.err
    assert "EXIF (time)" in ended.err
    assert "warning" not in ended.err
    for found, number in zip(read_folder(tmp_path / "out"), (11, 14), strict=True):
        assert np.array_equal(found, read_picture(source / f"{number}.jpg"))


def test_a_frame_that_is_missing_later_on_is_noticed(dmef_bench, tmp_path):
    source = folder_of(tmp_path / "takes", 12)
    (source / "take 7.png").unlink()
    ended = fuse(dmef_bench, source, "-o", tmp_path / "out", "--ev=-2,0,2")
    assert ended.code == 0, ended.err
    assert ended.err.count("warning") == 1
    assert "take 9.png (mean brightness" in ended.err.replace("\n", " ")


@pytest.mark.parametrize("twin", ["take 01.png", "take 1.jpg"])
def test_two_pictures_of_one_number_are_refused(dmef_bench, tmp_path, twin):
    source = folder_of(tmp_path / "takes", 3)
    Image.fromarray(frame(1)).save(source / twin)
    ended = fuse(dmef_bench, source, "-o", tmp_path / "out")
    assert ended.code == 2
    assert "have the same place in the sequence" in ended.err
    assert ended.err.count("\n") == 1


def test_learned_compression_is_refused_for_other_weights(dmef_bench, tmp_path):
    source, weights = folder_of(tmp_path / "takes", 3), tmp_path / "own.safetensors"
    network, _ = load_network(SHIPPED)
    tensors = {name: tensor + 0.01 for name, tensor in network.state_dict().items()}
    save_file(tensors, weights, network_metadata(network))
    asked = (source, "-o", tmp_path / "out", "--cache", "exact", "--weights", weights, "-q")
    ended = fuse(dmef_bench, *asked, "--cache-compression", "cnn-channels", method="ipl")
    assert ended.code == 2
    assert "fitted to the shipped weights, not to these" in ended.err
    assert fuse(dmef_bench, *asked, "--ev=-2,0,2", method="ipl").code == 0


def test_16_bit_pictures_stay_16_bit(dmef_bench, tmp_path):
    source = tmp_path / "takes"
    source.mkdir()
    for number in range(3):
        wide = frame(number).astype(np.uint16) * 257 + 3
        cv2.imwrite(str(source / f"{number}.tif"), cv2.cvtColor(wide, cv2.COLOR_RGB2BGR))
    assert fuse(dmef_bench, source, "-o", tmp_path / "out", "--ev=-2,0,2", "-q").code == 0
    (found,) = read_folder(tmp_path / "out")
    assert np.array_equal(found, frame(1).astype(np.uint16) * 257 + 3)
    assert fuse(dmef_bench, source, "-o", tmp_path / "o.mkv", "--ev=-2,0,2", "-q").code == 0
    assert np.array_equal(next(every_frame(probe(tmp_path / "o.mkv"))), frame(1))


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("takes", "-o", "out.png"), 2, "a sequence becomes a folder of PNGs, or a video"),
        (("takes", "-o", "out", "--ev=1,1,2"), 2, "EVs of three successive frames, all different"),
        (("takes", "-o", "out", "--ev="), 2, "EVs of three successive frames"),
        (("takes", "-o", "out", "--cache", "approximate:x"), 2, "is a number, got 'x'"),
        (("takes", "-o", "out", "--cache", "exact"), 2, "has no attention cache"),
        (("takes", "-o", "out", "--cache-memory", "1GiB"), 2, "needs a cache: --cache exact"),
        (("takes", "-o", "out", "--cache", "warm"), 2, "--cache: the mode of a cache is one of"),
        (("takes", "-o", "out", "--cache", "exact:1"), 2, "only approximate takes a tolerance"),
        (("takes", "-o", "out", "--max-memory", "1GiB"), 2, "--max-memory is for three pictures"),
        (("absent", "-o", "out"), 2, "there is no such folder or video"),
        (("takes/take 0.png", "-o", "out"), 2, "is one picture; fuse takes three"),
        (("two", "-o", "out"), 2, "two: 2 pictures; three exposures or more"),
        (("sizes", "-o", "out"), 2, "take 2.png is 48×31 and the pictures before it are 48×32"),
        (("broken", "-o", "out"), 4, "take 1.png: not a readable PNG"),
        (("text.mp4", "-o", "out"), 4, "text.mp4: the file is text"),
        (("cut.mkv", "-o", "out"), 4, "cut.mkv: the file was cut short"),
        (("takes", "two", "-o", "out"), 2, "got 2 paths"),
        ((*["takes/take 0.png"] * 3, "-o", "out.png", "--sliding"), 2, "--sliding is for a folder"),
    ],
)  # fmt: skip
def test_mistakes_end_with_one_line(dmef_bench, tmp_path, monkeypatch, arguments, code, complaint):
    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path / "takes", 3)
    folder_of(tmp_path / "two", 2)
    (folder_of(tmp_path / "sizes", 3) / "take 2.png").write_bytes(encode_png(frame(2)[1:]))
    (folder_of(tmp_path / "broken", 3) / "take 1.png").write_bytes(b"nothing")
    (tmp_path / "text.mp4").write_text("no video")
    whole = video_of(tmp_path / "whole.mkv", 6).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[:-200])
    ended = fuse(dmef_bench, *arguments, "-q")
    assert ended.code == code
    assert complaint in ended.err
    assert ended.err.count("\n") == 1
    assert not list(tmp_path.glob("out/*.png"))


def test_a_video_damaged_inside_keeps_what_came_before(dmef_bench, tmp_path):
    source = tmp_path / "takes.mov"
    video_of(source, 12, codec=("prores_ks",))
    content = bytearray(source.read_bytes())
    middle = content.index(b"mdat") + len(content) * 2 // 3
    content[middle : middle + 300] = bytes(300)
    source.write_bytes(content)
    ended = fuse(dmef_bench, source, "-o", tmp_path / "out", "--ev=-2,0,2", "-q")
    assert ended.code == 4
    assert "takes.mov: ffmpeg finds errors in it" in ended.err
    assert 1 <= len(read_folder(tmp_path / "out")) < 4
    ended = fuse(dmef_bench, source, "-o", tmp_path / "out.mp4", "--ev=-2,0,2", "-q")
    assert ended.code == 4
    assert not list(tmp_path.glob("*.mp4*"))
