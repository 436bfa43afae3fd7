"""How close building comes to its unavoidable work: `python benchmarks/build_dataset.py`.

Side by side, with the same number of workers, in turns: plain ffmpeg decoding the frames that must
be looked at to nothing, then the PNG encoding of the dataset's pictures; and `build_dataset` whole.
Beside that: where the time of one scene goes, what a second decoding would cost, the memory of a
worker, and time and size by PNG level and filter. Writes benchmarks/results/build_dataset.json.

Where --videos names an empty folder or none, two 4K clips are made first, which takes minutes.
"""

import argparse
import hashlib
import io
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from report import write

from dmef_bench.atomic_write import atomic_write, sha256_of_file
from dmef_bench.dataset import BuildSettings, build_dataset, measures, open_dataset
from dmef_bench.dataset.make_scene import make_scenes
from dmef_bench.picture_files import encode_png
from dmef_bench.video import Clip, choose_frames, extract_frames, find_videos, probe
from dmef_bench.video import held as holding
from dmef_bench.video.analyse import WINDOW_FRAMES
from dmef_bench.video.ffmpeg import ffmpeg_executable, ffmpeg_version
from dmef_bench.video.windows import windows
from synth.exposure import synthesise_bracket
from synth.moving_scenes import write_clip
from synth.moving_scenes.clip_writer import Codec

Pictures = list[NDArray[np.uint8]]
_FFMPEG_THREADS = 4  # as the package runs it
_MADE: tuple[Codec, ...] = ("h264", "hevc")
# zlib's levels with OpenCV's own choice of filter, then single filters at the quickest level.
_FILTERS = ("SUB", "UP", "AVG", "PAETH")
_STRATEGIES = ("DEFAULT", "RLE")


def make_videos(folder: Path) -> Path:
    """A 4K clip of 90 frames in each codec, of high bit rate."""
    for seed, codec in enumerate(_MADE):
        write_clip(
            folder / f"{codec}.mp4", seed, height=2160, width=3840, frames=90, fps=30, codec=codec
        )
    return folder


def seconds(function: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def decode_to_nothing(clips: list[Clip], workers: int) -> None:
    """What must be decoded of every clip, by plain ffmpeg."""

    def decode(clip: Clip) -> None:
        window = windows(clip)[0]
        seek = [] if window.seek is None else ["-ss", str(float(window.seek * clip.time_base))]
        subprocess.run(
            [ffmpeg_executable(), "-nostdin", "-v", "error", "-threads", str(_FFMPEG_THREADS),
             *seek, "-i", str(clip.path), "-an", "-frames:v", str(WINDOW_FRAMES),
             "-f", "null", "-"],
            check=True,
        )  # fmt: skip

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(decode, clips))


def encode_all(pictures: Pictures, workers: int) -> None:
    """The pictures as PNG, in memory; OpenCV lets other threads run meanwhile."""
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(encode_png, pictures):
            pass


def whole_build(
    videos: Path, settings: BuildSettings, workers: int, repeats: int
) -> dict[str, Any]:
    """The unavoidable work and the build in turns; medians and their ratio."""
    clips = [probe(path) for path in find_videos(videos)]
    decoding, encoding, building = [], [], []
    for turn in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "dataset"
            building.append(
                seconds(lambda to=output: build_dataset(videos, to, settings, workers=workers))
            )
            dataset = open_dataset(output)
            scenes = [scene for split in ("train", "test") for scene in dataset.scenes(split)]
            pictures = [
                scene.load_picture(name) for scene in scenes for name in scene.record.pictures()
            ]
        used = {scene.record.source.sha256 for scene in scenes}
        needed = [clip for clip in clips if clip.sha256 in used]
        decoding.append(seconds(lambda these=needed: decode_to_nothing(these, workers)))
        encoding.append(seconds(lambda these=pictures: encode_all(these, workers)))
        print(f"turn {turn + 1}: build {building[-1]:.1f} s, decode {decoding[-1]:.1f} s, "
              f"PNG {encoding[-1]:.1f} s", flush=True)  # fmt: skip
    unavoidable = [a + b for a, b in zip(decoding, encoding, strict=True)]
    return {
        "workers": workers,
        "videos": len(clips),
        "scenes": len(scenes),
        "pictures": len(pictures),
        "frames_decoded_a_video": WINDOW_FRAMES,
        "repeats": repeats,
        "decode_s": round(statistics.median(decoding), 2),
        "png_s": round(statistics.median(encoding), 2),
        "unavoidable_s": round(statistics.median(unavoidable), 2),
        "build_s": round(statistics.median(building), 2),
        "ratio": round(
            statistics.median(b / u for b, u in zip(building, unavoidable, strict=True)), 2
        ),
        "ratios": [round(b / u, 2) for b, u in zip(building, unavoidable, strict=True)],
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
    choice = step("decode_and_choose", lambda: choose_frames(clip))
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
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--name", default="build_dataset", help="of the result file")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    settings = BuildSettings(hdr="tonemap")
    videos: Path = options.videos or Path(tempfile.mkdtemp())
    try:
        if not find_videos(videos):
            make_videos(videos)
        paths = find_videos(videos)
        first = probe(paths[0])
        frames = extract_frames(first, choose_frames(first))
        low, _, _ = synthesise_bracket(frames, settings.evs, settings.response)
        data = {
            "videos": {path.name: path.stat().st_size for path in paths},
            "ffmpeg": ffmpeg_version(),
            "whole": whole_build(videos, settings, options.workers, options.repeats),
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
