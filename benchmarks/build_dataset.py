"""How close building comes to its unavoidable work: `python benchmarks/build_dataset.py`.

Side by side, with the same number of workers, in turns: the command `build-dataset` whole; plain
ffmpeg decoding to nothing the frames that are looked at, and only as far as the last one chosen;
the PNG encoding of the dataset's pictures. Seconds on the clock and of processors.
Beside that: where the time of one scene goes, what a second decoding would cost, the memory of a
worker, and time and size by PNG level and filter. Writes benchmarks/results/build_dataset.json.

Where --videos names an empty folder or none, six 4K clips are made first.
"""

import argparse
import contextlib
import ctypes
import hashlib
import io
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from report import write

from dmef_bench.atomic_write import atomic_write, sha256_of_file
from dmef_bench.dataset import BuildSettings, Scene, SceneRecord, measures, open_dataset
from dmef_bench.dataset.make_scene import make_scenes
from dmef_bench.picture_files import encode_png
from dmef_bench.video import ChoiceOptions, choose_frames, extract_frames, find_videos, probe
from dmef_bench.video import held as holding
from dmef_bench.video.analyse import WINDOW_FRAMES
from dmef_bench.video.ffmpeg import ffmpeg_executable, ffmpeg_version
from dmef_bench.video.windows import windows
from synth.exposure import synthesise_bracket
from synth.moving_scenes import write_clip

Pictures = list[NDArray[np.uint8]]
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of Linux
_H264 = ("libx264", "-preset", "veryfast", "-crf", "16")
_HEVC = ("libx265", "-preset", "ultrafast", "-crf", "18", "-tag:v", "hvc1", "-x265-params",
         "log-level=error:info=0:frame-threads=1:pools=2")  # fmt: skip
_VARIANTS = (
    ("null", _HEVC),
    ("hflip", _H264),
    ("vflip", _H264),
    ("negate", _H264),
    ("hflip,negate", _H264),
    ("vflip,negate", _H264),
)
# zlib's levels with OpenCV's own choice of filter, then single filters at the quickest level.
_FILTERS = ("SUB", "UP", "AVG", "PAETH")
_STRATEGIES = ("DEFAULT", "RLE")


def make_videos(folder: Path, workers: int) -> Path:
    """4K clips of 90 frames with a keyframe every second: one scene, turned and recoloured."""
    first = write_clip(folder / "first.mp4", 0, height=2160, width=3840, frames=90, fps=30)

    def vary(variant: tuple[str, tuple[str, ...]]) -> None:
        filters, encoder = variant
        name = f"{encoder[0]}-{filters.replace(',', '-')}.mp4"
        subprocess.run(
            [ffmpeg_executable(), "-nostdin", "-v", "error", "-threads", "2", "-i", str(first),
             "-vf", filters, "-c:v", *encoder, "-g", "30", "-threads", "2",
             "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
             "-color_range", "tv", str(folder / name)],
            check=True,
        )  # fmt: skip

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(vary, _VARIANTS))
    first.unlink()
    return folder


@dataclass(frozen=True)
class Spent:
    """What something took.

    Attributes:
        wall: seconds on the clock.
        cpu: seconds of processors, in this process and in all that it started.
    """

    wall: float
    cpu: float

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.wall + other.wall, self.cpu + other.cpu)


def spent(function: Callable[[], object]) -> Spent:
    """Call a function, which waits for the processes it starts; their children may outlive them."""
    before, start = _cpu(), time.perf_counter()
    function()
    wall = time.perf_counter() - start
    with contextlib.suppress(ChildProcessError):
        while True:  # what was left behind is ours by now (see `main`)
            os.waitpid(-1, 0)
    return Spent(wall, _cpu() - before)


def _cpu() -> float:
    whose = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, whose))


@dataclass(frozen=True)
class Span:
    """Frames of a video to decode: from where the build seeks to, in seconds, so many."""

    path: Path
    seek: float | None
    frames: int


def spans(videos: Path, scenes: list[Scene]) -> tuple[list[Span], list[Span]]:
    """What must be decoded of the videos of the scenes.

    Returns:
        The window whose frames are compared, and only as far as the last chosen frame, which
        nobody knows beforehand.
    """
    clips = {clip.sha256: clip for clip in map(probe, find_videos(videos))}
    looked_at, up_to_last = [], []
    for record in (scene.record for scene in scenes):
        if not isinstance(record, SceneRecord):
            raise TypeError(f"scene {record.scene} was imported and has no video")
        clip = clips[record.source.sha256]
        window = windows(clip)[0]
        seek = None if window.seek is None else float(window.seek * clip.time_base)
        last = record.presentation_times[2]
        times = [time for time in clip.presentation_times if seek is None or time >= seek]
        looked_at.append(Span(clip.path, seek, WINDOW_FRAMES))
        up_to_last.append(Span(clip.path, seek, sum(time <= last for time in times)))
    return looked_at, up_to_last


def decode_to_nothing(these: list[Span], workers: int) -> None:
    """By plain ffmpeg, with as many threads in all as there are cores, as the build does it."""
    threads = max(1, len(os.sched_getaffinity(0)) // min(workers, len(these)))

    def decode(span: Span) -> None:
        seek = [] if span.seek is None else ["-ss", str(span.seek)]
        subprocess.run(
            [ffmpeg_executable(), "-nostdin", "-v", "error", "-threads", str(threads), *seek,
             "-i", str(span.path), "-an", "-frames:v", str(span.frames), "-f", "null", "-"],
            check=True,
        )  # fmt: skip

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(decode, these))


def encode_all(pictures: Pictures, workers: int) -> None:
    """The pictures as PNG, in memory; OpenCV lets other threads run meanwhile."""
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(encode_png, pictures):
            pass


def build(videos: Path, output: Path, workers: int) -> None:
    """The command as a user gives it, with the start of Python and all imports."""
    subprocess.run(
        [sys.executable, "-m", "dmef_bench", "build-dataset", str(videos), "-o", str(output),
         "--workers", str(workers), "--hdr", "tonemap", "--near-duplicates", "keep", "--quiet"],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def whole_build(videos: Path, workers: int, repeats: int) -> dict[str, Any]:
    """The unavoidable work and the build in turns; medians, on the clock and of processors."""
    turns: dict[str, list[Spent]] = {
        name: [] for name in ("decode_window", "decode_to_last_chosen", "png", "build")
    }
    for turn in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "dataset"
            turns["build"].append(spent(partial(build, videos, output, workers)))
            dataset = open_dataset(output)
            scenes = [scene for split in ("train", "test") for scene in dataset.scenes(split)]
            pictures = [
                scene.load_picture(name) for scene in scenes for name in scene.record.pictures()
            ]
        looked_at, up_to_last = spans(videos, scenes)
        turns["decode_window"].append(spent(partial(decode_to_nothing, looked_at, workers)))
        turns["decode_to_last_chosen"].append(
            spent(partial(decode_to_nothing, up_to_last, workers))
        )
        turns["png"].append(spent(partial(encode_all, pictures, workers)))
        told = ", ".join(
            f"{name} {values[-1].wall:.1f} s ({values[-1].cpu:.1f} s CPU)"
            for name, values in turns.items()
        )
        print(f"turn {turn + 1}: {told}", flush=True)
    return {
        "workers": workers,
        "videos": len(find_videos(videos)),
        "scenes": len(scenes),
        "pictures": len(pictures),
        "frames_looked_at": sum(span.frames for span in looked_at),
        "frames_to_last_chosen": sum(span.frames for span in up_to_last),
        "repeats": repeats,
        "seconds": {
            name: {
                "wall": round(statistics.median(value.wall for value in values), 2),
                "cpu": round(statistics.median(value.cpu for value in values), 2),
            }
            for name, values in turns.items()
        },
        "build_by_window_and_png": _ratio(turns, "decode_window"),
        "build_by_decoding_to_last_chosen_and_png": _ratio(turns, "decode_to_last_chosen"),
    }


def _ratio(turns: dict[str, list[Spent]], decoding: str) -> dict[str, Any]:
    """Medians over the turns, and each of them."""
    needed = [a + b for a, b in zip(turns[decoding], turns["png"], strict=True)]
    pairs = list(zip(turns["build"], needed, strict=True))
    wall, cpu = [a.wall / b.wall for a, b in pairs], [a.cpu / b.cpu for a, b in pairs]
    return {
        "wall": round(statistics.median(wall), 2),
        "cpu": round(statistics.median(cpu), 2),
        "walls": [round(each, 2) for each in wall],
        "cpus": [round(each, 2) for each in cpu],
    }


def stages(path: Path, settings: BuildSettings) -> dict[str, float]:
    """Seconds of each step of one scene, in a process that does nothing else."""
    found: dict[str, float] = {}

    def step(name: str, function: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        value = function()
        found[name] = round(time.perf_counter() - start, 3)
        return value

    step("sha256_of_the_video", lambda: sha256_of_file(path))
    clip = step("probe", lambda: probe(path))
    choice = step("decode_and_choose", lambda: choose_frames(clip, ChoiceOptions(threads=1)))
    frames = step("convert_three_frames", lambda: extract_frames(clip, choice))
    again = replace(choice, raw=None)
    step("convert_three_frames_by_a_second_decoding", lambda: extract_frames(clip, again))
    bracket = step("expose", lambda: synthesise_bracket(frames, settings.evs, settings.response))
    step("measure_motion", lambda: measures.motion(frames))
    step("measure_blur", lambda: measures.blur(frames[1]))
    step("perceptual_hash", lambda: measures.perceptual_hash(frames[1]))
    files = step("png", lambda: [encode_png(each) for each in (*bracket, frames[1])])
    step("sha256_of_png", lambda: [hashlib.sha256(each).hexdigest() for each in files])
    with tempfile.TemporaryDirectory() as folder:
        step(
            "write_and_sync",
            lambda: [atomic_write(Path(folder, str(n)), each) for n, each in enumerate(files)],
        )
    return found


def memory(path: Path, settings: BuildSettings) -> dict[str, int]:
    """Peak resident memory in MB of a worker and of the ffmpeg it runs, for one video."""
    context = multiprocessing.get_context("spawn")
    answer, sender = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as folder:
        process = context.Process(target=_worker, args=(sender, path, Path(folder), settings))
        process.start()
        before, own, child = answer.recv()
        process.join()
    return {
        "worker_before": before // 1024,
        "worker_peak": own // 1024,
        "ffmpeg_peak": child // 1024,
        "most_held": holding.MOST_HELD >> 20,
    }


def _peak_memory() -> int:
    """Of this process in kB; `getrusage` would start from its parent's."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0])


def _worker(sender: Any, path: Path, folder: Path, settings: BuildSettings) -> None:
    before = _peak_memory()
    make_scenes(path, path.name, sha256_of_file(path), folder, settings)
    sender.send((before, _peak_memory(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))


def png_table(pictures: Pictures, repeats: int) -> list[dict[str, Any]]:
    """CPU seconds and megabytes a picture, by encoder, level, strategy and filter; medians."""
    bgr = [cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) for picture in pictures]

    def opencv(*options: int) -> Callable[[], list[bytes]]:
        return lambda: [cv2.imencode(".png", each, options)[1].tobytes() for each in bgr]

    def pillow(level: int) -> list[bytes]:
        files = []
        for picture in pictures:
            stream = io.BytesIO()
            Image.fromarray(picture).save(stream, "PNG", compress_level=level)
            files.append(stream.getvalue())
        return files

    level, strategy, row_filter = (
        cv2.IMWRITE_PNG_COMPRESSION, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_FILTER,
    )  # fmt: skip
    rows: dict[str, Callable[[], list[bytes]]] = {
        f"OpenCV level {number}": opencv(level, number) for number in (1, 2, 3, 6)
    }
    for name in _STRATEGIES:
        for kind in _FILTERS:
            rows[f"OpenCV level 1 {name} {kind}"] = opencv(
                level, 1,
                strategy, getattr(cv2, f"IMWRITE_PNG_STRATEGY_{name}"),
                row_filter, getattr(cv2, f"IMWRITE_PNG_FILTER_{kind}"),
            )  # fmt: skip
    rows["Pillow level 1"] = lambda: pillow(1)
    table = []
    for name, function in rows.items():
        spent, files = [], [b""]
        for _ in range(repeats):
            start = time.process_time()
            files = function()
            spent.append(time.process_time() - start)
        table.append(
            {
                "encoder": name,
                "cpu_s": round(statistics.median(spent) / len(pictures), 3),
                "MB": round(sum(map(len, files)) / len(files) / 1e6, 2),
            }
        )
    return table


def main() -> None:
    """Measure everything and write the result file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--videos", type=Path, help="folder of 4K videos")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--name", default="build_dataset", help="of the result file")
    options = parser.parse_args()
    # Processes that the build leaves behind become ours, and so does their time.
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    cv2.setNumThreads(1)
    settings = BuildSettings(hdr="tonemap")
    videos: Path = options.videos or Path(tempfile.mkdtemp())
    try:
        if not find_videos(videos):
            make_videos(videos, options.workers)
        paths = find_videos(videos)
        first = probe(paths[0])
        frames = extract_frames(first, choose_frames(first))
        low, _, _ = synthesise_bracket(frames, settings.evs, settings.response)
        data = {
            "videos": {path.name: path.stat().st_size for path in paths},
            "ffmpeg": ffmpeg_version(),
            "whole": whole_build(videos, options.workers, options.repeats),
            "stages_s": {path.name: stages(path, settings) for path in (paths[0], paths[-1])},
            "memory_MB": {path.name: memory(path, settings) for path in (paths[0], paths[-1])},
            "png_a_picture": png_table([low, frames[1]], options.repeats),
        }
    finally:
        if options.videos is None:
            shutil.rmtree(videos)
    print(write(options.name, data).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
