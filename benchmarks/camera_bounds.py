"""What inverting the known response gives on both tracks, and what of it each part takes away.

    python benchmarks/camera_bounds.py [--pictures 200]

Exposes frames of generated scenes as the mid exposure of both tracks, inverts the response as the
row `invert-response` does, and compares with the frame. The camera track is taken apart: with the
paper's EV and without noise (nothing but the drawn response differs from the paper's track), with
its own EV, with its noise, and with JPEG. Copying the mid exposure stands beside it. Under a
minute. Writes benchmarks/results/camera_bounds.json.
"""

import argparse
import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from report import write

from baselines import Bracket
from baselines.invert_response import InvertResponse
from dmef_bench.evaluation.peak_signal_to_noise import psnr
from synth.camera_response import CameraResponse, Sigmoid
from synth.camera_track import DRAWN_MODELS, CameraOptions, camera_exposure, draw_camera, scene_key
from synth.exposure import DEFAULT_EVS, expose
from synth.moving_scenes import MovingScene

Picture = NDArray[np.uint8]
Exposed = tuple[Picture, float, CameraResponse]
MID = 1
PARTS = {
    "camera: response alone": CameraOptions(ev_jitter=0, shot_noise=None),
    "camera: response and EV": CameraOptions(shot_noise=None),
    "camera": CameraOptions(),
    "camera with --jpeg 80,95": CameraOptions(jpeg=(80, 95)),
}


def on_paper(frame: Picture, _number: int) -> Exposed:
    """The mid exposure of the paper's track."""
    return expose(frame, DEFAULT_EVS[MID], Sigmoid()), DEFAULT_EVS[MID], Sigmoid()


def with_camera(options: CameraOptions) -> Callable[[Picture, int], Exposed]:
    """The mid exposure of the camera that belongs to a scene's number."""

    def exposed(frame: Picture, number: int) -> Exposed:
        camera = draw_camera(options, scene_key(0, f"scene {number}"))
        return camera_exposure(frame, camera, MID), camera.evs[MID], camera.response

    return exposed


def inverted(picture: Picture, ev: float, response: CameraResponse) -> Picture:
    """What the row `invert-response` makes of a mid exposure, in 8 bits."""
    mid = torch.from_numpy(picture).permute(2, 0, 1).float().div(255)
    bracket = Bracket(mid.expand(1, 3, 3, -1, -1), (ev - 1, ev, ev + 1), response)
    fused = InvertResponse().fuse(bracket)[0].mul(255).round()
    return fused.permute(1, 2, 0).to(torch.uint8).numpy()


@dataclass(frozen=True)
class Row:
    """One picture: PSNR in dB of inverting and of copying its mid exposure, share of white."""

    family: str
    inverted: float
    copied: float
    white: float


def rows(frames: list[Picture], exposed: Callable[[Picture, int], Exposed]) -> list[Row]:
    """A row a picture."""
    found = []
    for number, frame in enumerate(frames):
        picture, ev, response = exposed(frame, number)
        back = psnr(inverted(picture, ev, response), frame)
        white = float((picture == 255).mean())
        found.append(Row(response.name, back, psnr(picture, frame), white))
    return found


def figures(of: list[Row], paper: list[Row]) -> dict[str, object]:
    """Medians over all pictures, and over those of each family."""
    pairs = list(zip(of, paper, strict=True))
    families = {
        model.name: [p for p in pairs if p[0].family == model.name] for model in DRAWN_MODELS
    }
    return summary(pairs) | {
        "by_family": {name: summary(some) for name, some in families.items() if some}
    }


def summary(pairs: list[tuple[Row, Row]]) -> dict[str, float | None]:
    """Of pictures beside the same on the paper's track; null where equal pictures have no PSNR."""
    inverted_db = sorted(row.inverted for row, _ in pairs)
    least, middle, most = (
        inverted_db[round(share * (len(pairs) - 1))] for share in (0.05, 0.5, 0.95)
    )
    above = [row.inverted > paper.inverted for row, paper in pairs]
    return {
        "pictures": len(pairs),
        "invert_response_db_5": decibels(least),
        "invert_response_db_median": decibels(middle),
        "invert_response_db_95": decibels(most),
        "above_paper_percent": round(100 * statistics.fmean(above), 1),
        "copy_reference_db_median": decibels(statistics.median(row.copied for row, _ in pairs)),
        "white_percent_mean": round(100 * statistics.fmean(row.white for row, _ in pairs), 2),
    }


def decibels(value: float) -> float | None:
    """To a hundredth; None for infinity."""
    return round(value, 2) if math.isfinite(value) else None


def main() -> None:
    """Expose, invert, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=200)
    told = parser.parse_args()
    frames = [
        MovingScene(number, 180, 320, scene_height=720).frame(0.5)
        for number in range(told.pictures)
    ]
    tracks = {"paper": on_paper} | {name: with_camera(of) for name, of in PARTS.items()}
    measured = {name: rows(frames, exposed) for name, exposed in tracks.items()}
    found = {name: figures(of, measured["paper"]) for name, of in measured.items()}
    path = write("camera_bounds", found)
    print(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
