"""Moving scenes as encoded video files."""

import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Literal, cast

import imageio_ffmpeg

from synth.moving_scenes.arrays import Bytes
from synth.moving_scenes.scene import MovingScene

Codec = Literal["h264", "hevc"]

# The same on every machine: the number of threads changes the bytes of both encoders.
_THREADS = 2
_ENCODERS = {
    "h264": ["-c:v", "libx264"],
    "hevc": [
        "-c:v", "libx265", "-tag:v", "hvc1",
        "-x265-params", f"log-level=error:info=0:frame-threads={_THREADS}:pools={_THREADS}",
    ],
}  # fmt: skip

_PRESETS = {"h264": "veryfast", "hevc": "ultrafast"}


class ClipError(ValueError):
    """A clip could not be written; one sentence that names the file."""


def write_clip(
    path: Path | str,
    seed: int,
    *,
    height: int,
    width: int,
    frames: int,
    fps: float,
    codec: Codec = "h264",
    quality: int = 14,
    preset: str | None = None,
    scene_height: float | None = None,
    objects: int | None = None,
    motion: float = 1.0,
) -> Path:
    """Write a moving scene as an MP4 file, whole or not at all.

    The file is 8-bit 4:2:0, limited range, BT.709 and says so. The same arguments give the same
    bytes with the same build of ffmpeg.

    Args:
        path: file to write; a file of that name is replaced, missing folders are made.
        seed: of the scene.
        height: rows, even.
        width: columns, even.
        frames: number of frames.
        fps: frames a second.
        codec: "h264" or "hevc".
        quality: constant rate factor; 12 to 16 is hard to tell from the original.
        preset: of x264 or x265, "ultrafast" to "slow"; the default is "veryfast" for H.264 and
            "ultrafast" for HEVC, which takes three times as long all the same.
        scene_height: as of `MovingScene`.
        objects: as of `MovingScene`.
        motion: as of `MovingScene`.

    Returns:
        `path`.

    Raises:
        ValueError: an argument is out of range.
        ClipError: ffmpeg failed or the file can't be written.
    """
    target = Path(path)
    if codec not in _ENCODERS:
        raise ValueError(f"the codec of a clip must be one of {', '.join(_ENCODERS)}, not {codec}")
    if height % 2 or width % 2:
        raise ValueError(f"a clip has an even number of rows and columns, not {height} × {width}")
    if frames < 1 or not 0 < fps <= 1000:
        raise ValueError(
            f"a clip has at least one frame and up to 1000 frames a second, not {frames} at {fps:g}"
        )
    scene = MovingScene(
        seed, height, width, scene_height=scene_height, objects=objects, motion=motion
    )
    encoder = [*_ENCODERS[codec], "-preset", preset or _PRESETS[codec], "-crf", str(quality)]
    temporary = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(
            prefix=f".{target.name[:64]}.", suffix=".tmp", dir=target.parent
        )
        os.close(descriptor)
        temporary = Path(name)
        pictures = (scene.frame(number / fps) for number in range(frames))
        _encode(pictures, height, width, fps, encoder, temporary, target)
        temporary.chmod(0o644)
        temporary.replace(target)
    except RuntimeError as error:
        raise ClipError(f"{target}: no ffmpeg to encode the clip with: {error}") from error
    except OSError as error:
        raise ClipError(
            f"{target}: the clip can't be written ({error.strerror}); "
            "check the folder's permissions and free space."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return target


def _encode(
    pictures: Iterable[Bytes],
    height: int,
    width: int,
    fps: float,
    encoder: list[str],
    output: Path,
    target: Path,
) -> None:
    """Pipe RGB pictures through ffmpeg into `output`; complain in the name of `target`."""
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-loglevel", "error", "-y",
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{fps:.6g}",
        "-i", "pipe:0", "-vf",
        "scale=out_color_matrix=bt709:out_range=tv:"
        "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact,"
        "format=yuv420p,setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv",
        *encoder, "-threads", str(_THREADS),
        "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
        "-color_range", "tv", "-map_metadata", "-1",
        "-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart",
        "-f", "mp4", f"file:{output}",
    ]  # fmt: skip
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints
        ) as process,
    ):
        try:
            _feed(cast(IO[bytes], process.stdin), pictures)
        except BaseException:
            process.kill()
            raise
        if process.wait() != 0:
            complaints.seek(0)
            said = complaints.read().decode(errors="replace").strip().splitlines()
            reason = re.sub(r"^\[[^\]]*\] ", "", said[0]) if said else f"exit {process.returncode}"
            raise ClipError(f"{target}: ffmpeg could not encode the clip: {reason}")


def _feed(pipe: IO[bytes], pictures: Iterable[Bytes]) -> None:
    """Write the pictures' bytes; if ffmpeg takes no more, its exit code and words tell why."""
    with contextlib.suppress(BrokenPipeError), pipe:
        for picture in pictures:
            pipe.write(picture.data)
