"""Write run folders as `dmef-bench run` leaves them, for the leaderboard's tests."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from leaderboard.records import (
    CostRecord,
    DatasetRecord,
    MachineRecord,
    MethodRecord,
    MetricsRecord,
    ProtocolRecord,
    RunRecord,
    SampleRecord,
)

DIGEST = "5f" * 32
MACHINE = MachineRecord(
    device="cpu", processor="Example CPU @ 2.4 GHz", cores=2, memory_bytes=8 * 2**30,
    system="Linux 6.1", threads=2,
)  # fmt: skip
METRICS = MetricsRecord(
    psnr="10·log10(255²/MSE) over R, G and B",
    ssim="Gaussian window 11, σ 1.5, mean over R, G and B",
    lpips="Alex, version 0.1",
)
DATASET = DatasetRecord(name="4K-DMEF", digest=DIGEST, track="paper", split="test", scenes=5)
PSNRS = (30.0, 31.0, 33.5, 29.25, 32.0)


def samples(psnrs=PSNRS):
    """A line a scene: None for a failed one."""
    return [
        SampleRecord(scene=f"test/{number:04d}", error="the method returned NaN")
        if psnr is None
        else SampleRecord(
            scene=f"test/{number:04d}",
            psnr=psnr,
            ssim=0.8 + psnr / 400 if np.isfinite(psnr) else 1.0,
            lpips=0.3 - psnr / 200 if np.isfinite(psnr) else 0.0,
            inference_seconds=0.5 + number / 100,
            total_seconds=0.75 + number / 100,
        )
        for number, psnr in enumerate(psnrs, start=1)
    ]


def write_run(results: Path, name="gdc", psnrs=PSNRS, *, protocol="native", resolution=None,
              weights=None, kind="classical", method=None, **changes) -> Path:  # fmt: skip
    """Write one run folder and return it; `method` and `changes` replace fields of the record."""
    record = RunRecord(
        **{
            "package_version": "0.1.0",
            "command": f"dmef-bench run --method {name}",
            "started": "2025-01-01T00:00:00Z",
            "finished": "2025-01-01T00:10:00Z",
            "outcome": "failed" if None in psnrs else "complete",
            "method": MethodRecord(
                **{
                    "name": name,
                    "title": name.upper(),
                    "year": 2010,
                    "paper": "A paper",
                    "licence": "MIT",
                    "kind": kind,
                    "weights_sha256": weights,
                    **(method or {}),
                }
            ),
            "dataset": DATASET,
            "protocol": ProtocolRecord(name=protocol, resolution=resolution),
            "metrics": METRICS,
            "cost": CostRecord(peak_memory_bytes=300 * 2**20),
            "machine": MACHINE,
            **changes,
        }
    )
    size = f"-{resolution[1]}x{resolution[0]}" if resolution else ""
    folder = (
        results
        / f"{name}@{(weights or 'none')[:8]}"
        / record.dataset.digest[:8]
        / f"{record.dataset.track}-{protocol}{size}"
    )
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(record.model_dump_json(), encoding="utf-8")
    lines = [sample.model_dump_json() + "\n" for sample in samples(psnrs)]
    (folder / "samples.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def write_pictures(run: Path, scene="test-0001", seed=0, side=(36, 64)) -> Path:
    """Tiny pictures in the layout a run leaves for the page."""
    folder = run / "pictures" / scene
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)

    def picture(name, height, width):
        pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name)

    for name in ("low", "mid", "high", "ground_truth", "result", "error"):
        picture(f"{name}.jpg", *side)
    for crop in ("crop1", "crop2"):
        for part in ("reference", "ground_truth", "result"):
            picture(f"{crop}_{part}.png", 16, 16)
    places = {"crop1": {"x": 10, "y": 20, "what": "clipped"},
              "crop2": {"x": 30, "y": 40, "what": "motion"}}  # fmt: skip
    (folder / "crops.json").write_text(json.dumps(places), encoding="utf-8")
    return folder
