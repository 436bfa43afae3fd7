import json

import numpy as np
import pytest
from PIL import ExifTags, Image

from dmef_bench.picture_files import encode_png, read_picture


@pytest.fixture
def stack(tmp_path):
    """Three exposures of one smooth picture, dark to bright."""
    ramp = np.linspace(0.05, 0.9, 40 * 30 * 3).reshape(30, 40, 3)
    paths = []
    for name, ev in (("low", -1.5), ("mid", 0.0), ("high", 1.5)):
        paths.append(tmp_path / f"{name}.png")
        exposed = np.clip(ramp * 2.0**ev, 0, 1)
        paths[-1].write_bytes(encode_png(np.rint(exposed * 255).astype(np.uint8)))
    return paths


@pytest.mark.parametrize("method", ["copy-reference", "mertens", "gdc"])
def test_fuses_three_pictures_and_prints_the_path(dmef_bench, stack, tmp_path, method):
    output = tmp_path / "made" / "out.png"
    ended = dmef_bench("fuse", "--method", method, *stack, "-o", output, "--ev=-1.5,0,1.5")
    assert ended.code == 0
    assert ended.out == f"{output}\n"
    assert ended.err == "EVs -1.5, +0, +1.5: --ev\n"
    fused = read_picture(output)
    assert fused.shape == (30, 40, 3)
    assert (method == "copy-reference") == np.array_equal(fused, read_picture(stack[1]))


def test_json_says_what_was_done(dmef_bench, stack, tmp_path):
    output = tmp_path / "out.tiff"
    ended = dmef_bench(
        "fuse", "--method", "gdc", *stack, "-o", output, "--format", "json", "-q", "--device", "cpu"
    )
    facts = json.loads(ended.out)
    assert ended.err == ""
    assert facts["evs"] == [-2, 0, 2]
    assert facts["evs_source"].startswith("assumed, because")
    assert facts["bits"] == 8
    assert facts["device"] == "cpu"


def test_16_bit_in_16_bit_out(dmef_bench, stack, tmp_path):
    for path in stack:
        path.write_bytes(encode_png(read_picture(path).astype(np.uint16) * 257))
    output = tmp_path / "out.png"
    assert dmef_bench("fuse", "--method", "gdc", *stack, "-o", output).code == 0
    assert read_picture(output).dtype == np.uint16
    ended = dmef_bench("fuse", "--method", "gdc", *stack, "-o", tmp_path / "out.jpg")
    assert "a JPEG holds 8 bit" in ended.err


def test_evs_come_from_exif(dmef_bench, stack, tmp_path):
    photographs = []
    for path, seconds in zip(stack, (0.01, 0.02, 0.08), strict=True):
        exif = Image.Exif()
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExposureTime] = seconds
        photographs.append(path.with_suffix(".jpg"))
        Image.open(path).save(photographs[-1], exif=exif.tobytes())
    ended = dmef_bench("fuse", "--method", "mertens", *photographs, "-o", tmp_path / "out.jpg")
    assert ended.err == "EVs -1, +0, +2: EXIF (time)\n"


def test_the_response_is_asked_for_and_used(dmef_bench, stack, tmp_path):
    output = tmp_path / "out.png"
    asked = ("fuse", "--method", "invert-response", *stack, "-o", output, "--ev=-2,0.5,2")
    ended = dmef_bench(*asked)
    assert ended.code == 2
    assert "--response sigmoid" in ended.err
    assert not output.exists()
    assert dmef_bench(*asked, "--response", "sigmoid").code == 0
    assert read_picture(output).mean() < read_picture(stack[1]).mean()
    ended = dmef_bench(*asked, "--response", "sigmoidal")
    assert ended.code == 2
    assert "sigmoid" in ended.err


def test_the_wrong_order_is_said_and_fused_all_the_same(dmef_bench, stack, tmp_path):
    low, mid, high = stack
    output = tmp_path / "out.png"
    ended = dmef_bench("fuse", "--method", "gdc", high, mid, low, "-o", output)
    assert ended.code == 0
    assert f"warning: {mid} (mean brightness" in ended.err
    assert ended.err.endswith(f"it would be {low}, {mid}, {high}\n")
    assert output.exists()


def test_two_sizes_are_refused_with_both_files(dmef_bench, stack, tmp_path):
    stack[2].write_bytes(encode_png(np.zeros((30, 41, 3), np.uint8)))
    ended = dmef_bench("fuse", "--method", "gdc", *stack, "-o", tmp_path / "out.png")
    assert ended.code == 2
    assert f"{stack[0]} is 40×30 and {stack[2]} is 41×30" in ended.err


def test_an_input_is_never_overwritten(dmef_bench, stack, tmp_path):
    before = [path.read_bytes() for path in stack]
    link = tmp_path / "link.png"
    link.symlink_to(stack[1])
    for output in (stack[0], link, tmp_path / "elsewhere" / ".." / "high.png"):
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        ended = dmef_bench("fuse", "--method", "gdc", *stack, "-o", output)
        assert ended.code == 2
        assert "is one of the pictures to fuse" in ended.err
    assert [path.read_bytes() for path in stack] == before


@pytest.mark.parametrize(
    ("change", "code", "complaint"),
    [
        (lambda a: a | {"--method": "gcd"}, 2, "did you mean gdc?"),
        (lambda a: a | {"-o": "out.gif"}, 2, "out.gif: the name needs to end with .png"),
        (lambda a: a | {"--ev": "2,0,-2"}, 2, "--ev takes three rising numbers"),
        (lambda a: a | {"--ev": ""}, 2, "--ev takes three rising numbers"),
        (lambda a: a | {"--weights": "w.pth"}, 2, "gdc takes no weights, but w.pth was given"),
        (lambda a: a | {"low": "absent.png"}, 4, "absent.png: there is no such picture"),
        (lambda a: a | {"low": "text.png"}, 4, "text.png: not a readable PNG, JPEG or TIFF"),
    ],
)
def test_mistakes_end_with_one_line(
    dmef_bench, stack, tmp_path, monkeypatch, change, code, complaint
):  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.png").write_text("no picture")
    arguments = change({"--method": "gdc", "-o": "out.png", "low": stack[0]})
    low = arguments.pop("low")
    options = [part for option in arguments.items() for part in option]
    ended = dmef_bench("fuse", low, *stack[1:], *options)
    assert ended.code == code
    assert complaint in ended.err
    assert ended.err.count("\n") == 1
    assert ended.out == ""
    assert not (tmp_path / "out.png").exists()


def test_a_method_of_a_file_that_returns_nan_writes_nothing(dmef_bench, stack, tmp_path):
    (tmp_path / "bad.py").write_text(
        "from baselines import Method, MethodInfo\n"
        "class Bad(Method):\n"
        "    info = MethodInfo('bad', 'Bad', 2026, '', 'MIT', 'classical')\n"
        "    def fuse(self, bracket):\n"
        "        return bracket.reference * float('nan')\n"
    )
    output = tmp_path / "out.png"
    ended = dmef_bench("fuse", "--method", f"{tmp_path}/bad.py:Bad", *stack, "-o", output)
    assert ended.code == 1
    assert "bad returned NaN" in ended.err
    assert not output.exists()
