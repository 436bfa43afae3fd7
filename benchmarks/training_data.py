"""Is training data made as fast as training uses it: `python benchmarks/training_data.py`.

Times, in samples a second and at two sizes of batches, the sources on the CPU (one worker, one
thread), the same data made in whole batches on the device, and training steps of `ipl` (forward,
backward, optimiser) on that device, which is the first GPU or else the CPU. Photographs are those
of a folder (--photos), or a generated 4K frame. On a CPU batches hold four samples at most. Writes
benchmarks/results/training_data.json, on a GPU training_data_cuda.json.
"""

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import torch
from report import median_seconds, named_for, write

from dmef_bench.ipl import IPL
from dmef_bench.training import GeneratedScenes, MovingPhotographs, SampleKey
from dmef_bench.training.on_device import (
    CameraExposures,
    Exposures,
    PaperExposures,
    PicturePool,
    ScenesOnDevice,
)
from dmef_bench.training.on_device.pictures import pictures
from dmef_bench.training.samples import Track
from synth.moving_scenes import MovingScene

SIZES = ((192, 4), (256, 16))
TRACKS: tuple[Track, ...] = ("paper", "camera")
SCENES = 4
# Samples or batches that one figure is the mean or median of.
CPU_SAMPLES, REPEATS = 24, 9
LARGEST_ON_CPU = 4
PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16}


def main() -> None:
    """Measure everything and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=None)
    parser.add_argument("--limit", type=int, default=4, help="photographs taken from the folder")
    arguments = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if arguments.photos is None:
            frame = MovingScene(0, 2160, 3840).frame(0)
            cv2.imwrite(str(folder / "frame.png"), frame[..., ::-1])
        else:
            for path in sorted(arguments.photos.iterdir())[: arguments.limit]:
                (folder / path.name).symlink_to(path.resolve())
        paths = sorted(folder.iterdir())
        side = max(side for side, _ in SIZES)
        pool = PicturePool(pictures(0, SCENES, side, paths, workers=1, quiet=True), device)
        made: dict[Track, Exposures] = {
            "paper": PaperExposures(device),
            "camera": CameraExposures.drawn(0, device),
        }
        data = {
            "device": str(device),
            "threads": torch.get_num_threads(),
            "pictures": {
                "photographs": len(paths),
                "of_a_folder": arguments.photos is not None,
                "scenes_on_device": SCENES,
                "megabytes_on_device": round(pool.bytes / 1e6),
            },
            "sizes": [size_report(folder, side, batch, pool, made) for side, batch in SIZES],
        }
    path = write(named_for(device.type, "training_data"), data)
    print(path.read_text(encoding="utf-8"))


def size_report(
    folder: Path, side: int, batch: int, pool: PicturePool, made: dict[Track, Exposures]
) -> dict[str, Any]:
    """Samples a second of everything at one size."""
    device = pool.device
    if device.type == "cpu":
        batch = min(batch, LARGEST_ON_CPU)
    report: dict[str, Any] = {"side": side, "batch": batch, "on_device": {}, "ipl_trains": {}}
    report["cpu_worker"] = {
        f"{name}, {track}": round(cpu_rate(source), 1)
        for track in TRACKS
        for name, source in (
            ("generated", GeneratedScenes(side, track)),
            ("photographs", MovingPhotographs(folder, side, track)),
        )
    }
    for track, exposures in made.items():
        made_in = seconds(next_batch(pool, side, batch, exposures), device)
        report["on_device"][track] = round(batch / made_in, 1)
    for name, kind in PRECISIONS.items() if device.type == "cuda" else (("float32", None),):
        step_takes = seconds(ipl_step(side, batch, device, kind), device)
        report["ipl_trains"][name] = round(batch / step_takes, 2)
    used = max(report["ipl_trains"].values())
    report["made_on_device_over_used"] = round(min(report["on_device"].values()) / used, 2)
    report["cpu_workers_that_keep_up"] = round(used / min(report["cpu_worker"].values()), 2)
    return report


def cpu_rate(source: GeneratedScenes | MovingPhotographs) -> float:
    """Samples a second, each of another scene but of photographs already decoded."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    source.sample(SampleKey(0, 0, 0))
    started = time.perf_counter()
    for step in range(CPU_SAMPLES):
        source.sample(SampleKey(0, step, 0))
    elapsed = time.perf_counter() - started
    cv2.setNumThreads(threads)
    return CPU_SAMPLES / elapsed


def next_batch(
    pool: PicturePool, side: int, batch: int, exposures: Exposures
) -> Callable[[], object]:
    """What makes another batch whenever it is called."""
    source, steps = ScenesOnDevice(pool, SCENES, side, exposures, {}), itertools.count()
    return lambda: source.batch(0, next(steps), batch)


def ipl_step(
    side: int, batch: int, device: torch.device, kind: torch.dtype | None
) -> Callable[[], object]:
    """What takes a training step when it is called."""
    network = IPL().to(device)
    optimiser = torch.optim.AdamW(network.parameters(), fused=True)
    images = torch.rand(batch, 3, 3, side, side, device=device)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(device.type, kind, enabled=kind is not None):
            loss = (network(images) - images[:, 1]).abs().mean()
        loss.backward()
        optimiser.step()

    return step


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Median of `REPEATS` calls after one to warm up."""

    def done() -> None:
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()

    return median_seconds(done, REPEATS)


if __name__ == "__main__":
    main()
