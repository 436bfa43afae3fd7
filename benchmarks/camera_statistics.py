"""What the camera track draws, in figures and in a picture for docs/camera-track.md.

    python benchmarks/camera_statistics.py [--scenes 1000] [--pictures 80]

Draws the cameras of so many scene ids and, with some of them, exposes frames of generated scenes.
Under a minute. Writes benchmarks/results/camera_statistics.json and docs/images/camera-track.png.
"""

import argparse
import io
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from report import write

from synth.camera_response import CameraResponse, Sigmoid
from synth.camera_track import (
    DRAWN_MODELS,
    Camera,
    CameraOptions,
    camera_exposure,
    draw_camera,
    scene_key,
)
from synth.exposure import DEFAULT_EVS, expose
from synth.moving_scenes import MovingScene

mpl.use("agg")
import matplotlib.pyplot as plt

PICTURE = Path(__file__).parent.parent / "docs" / "images" / "camera-track.png"
EXPOSURES = ("low", "mid", "high")
# Okabe and Ito's colours, told apart by every eye.
OF_EXPOSURE = ("#0072B2", "#009E73", "#E69F00")
OF_MODEL = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
CURVES = 25
GREY = 0.18


def cameras(count: int) -> list[Camera]:
    """Cameras of so many scene ids, with the settings a dataset has unless told otherwise."""
    return [draw_camera(CameraOptions(), scene_key(0, f"scene {n}")) for n in range(count)]


def light_and_brightness(response: CameraResponse) -> tuple[NDArray[np.float64], ...]:
    """A response as the sensor sees it: light up to saturation, and the brightness it gives."""
    white = response.inverse_response(1.0)
    white = white if np.isfinite(white) else response.inverse_response(254.5 / 255)
    light = np.linspace(0, 1, 200)
    return light, response.response(light * white)


def white_shares(drawn: list[Camera]) -> dict[str, NDArray[np.float64]]:
    """(pictures, 3) on each track: the share of values that are 255 in low, mid and high."""
    shares: dict[str, list[list[float]]] = {"paper": [], "camera": []}
    for number, camera in enumerate(drawn):
        frame = MovingScene(number, 180, 320, scene_height=720).frame(0.5)
        exposed = {
            "paper": [expose(frame, ev, Sigmoid()) for ev in DEFAULT_EVS],
            "camera": [camera_exposure(frame, camera, place) for place in range(3)],
        }
        for track, pictures in exposed.items():
            shares[track].append([float((picture == 255).mean()) for picture in pictures])
    return {track: np.array(values) for track, values in shares.items()}


def spread(values: NDArray[np.float64]) -> dict[str, float]:
    """Five quantiles."""
    levels = {"least": 0, "5 %": 0.05, "median": 0.5, "95 %": 0.95, "most": 1}
    return {name: float(f"{np.quantile(values, at):.4g}") for name, at in levels.items()}


def figures(drawn: list[Camera], shares: dict[str, NDArray[np.float64]]) -> dict[str, Any]:
    """All that the picture shows, as numbers."""
    shot = np.array([[noise.shot for noise in camera.noise] for camera in drawn])
    read = np.array([[noise.read for noise in camera.noise] for camera in drawn])
    evs = np.array([camera.evs for camera in drawn])
    grey = 100 * np.sqrt(shot * GREY + read) / GREY
    return {
        "scenes": len(drawn),
        "pictures": len(shares["paper"]),
        "models": {
            model.name: sum(isinstance(camera.response, model) for camera in drawn)
            for model in DRAWN_MODELS
        },
        "parameters": {
            model.name: {
                name: spread(
                    np.array(
                        [
                            c.response.parameters[name]
                            for c in drawn
                            if isinstance(c.response, model)
                        ]
                    )
                )
                for name in model().parameters
            }
            for model in DRAWN_MODELS
        },
        "evs": {name: spread(evs[:, place]) for place, name in enumerate(EXPOSURES)},
        "shot": {name: spread(shot[:, place]) for place, name in enumerate(EXPOSURES)},
        "read": {name: spread(read[:, place]) for place, name in enumerate(EXPOSURES)},
        "noise_percent_of_sensed_grey": {
            name: spread(grey[:, place]) for place, name in enumerate(EXPOSURES)
        },
        "white_percent": {
            track: {name: spread(100 * of[:, place]) for place, name in enumerate(EXPOSURES)}
            for track, of in shares.items()
        },
    }


def draw(drawn: list[Camera], shares: dict[str, NDArray[np.float64]]) -> None:
    """Write the picture."""
    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    figure, ((top, curves), (levels, white)) = plt.subplots(2, 2, figsize=(9, 6.4))
    for place, (name, colour) in enumerate(zip(EXPOSURES, OF_EXPOSURE, strict=True)):
        evs = [camera.evs[place] for camera in drawn]
        top.hist(evs, np.arange(-2, 3.01, 0.05), color=colour)
        top.text(DEFAULT_EVS[place], 1.01, name, transform=top.get_xaxis_transform(), ha="center")
        shot = [camera.noise[place].shot for camera in drawn]
        bins = np.geomspace(1e-4, 0.012, 31)
        levels.hist(shot, bins, color=colour, histtype="step", linewidth=1.6, label=name)
    top.set(xlabel="EV relative to the ground truth", ylabel="scenes")
    top.set_title("Exposures", pad=16)
    levels.set(
        title="Shot noise", xscale="log", ylabel="scenes",
        xlabel="variance per unit of light (1 = saturation)",
    )  # fmt: skip
    levels.legend(frameon=False)
    for model, colour in zip(DRAWN_MODELS, OF_MODEL, strict=True):
        of_model = [camera.response for camera in drawn if isinstance(camera.response, model)]
        for response in of_model[:CURVES]:
            curves.plot(*light_and_brightness(response), color=colour, linewidth=0.6, alpha=0.4)
        style = "--" if model.name == "betagamma" else "-"  # it lies on the sigmoid
        usual = light_and_brightness(model())
        curves.plot(*usual, style, color=colour, linewidth=2, label=model.name)
    curves.set(
        title="Camera responses", xlabel="light (1 = saturation)", ylabel="brightness",
        xlim=(0, 1), ylim=(0, 1),
    )  # fmt: skip
    curves.legend(frameon=False, loc="lower right")
    for place, (name, colour) in enumerate(zip(EXPOSURES, OF_EXPOSURE, strict=True)):
        for track, style in (("camera", "-"), ("paper", ":")):
            ordered = np.sort(100 * shares[track][:, place])
            reached = np.arange(1, ordered.size + 1) / ordered.size
            white.plot(
                ordered, reached, style, color=colour, linewidth=1.6, label=f"{name}, {track}"
            )
    white.set(
        title="White values", xlabel="% of values that are 255",
        ylabel="share of pictures with at most that", ylim=(0, 1.02),
    )  # fmt: skip
    white.legend(frameon=False, loc="lower right")
    figure.tight_layout()
    content = io.BytesIO()
    figure.savefig(content, dpi=100)
    Image.open(content).convert("RGB").quantize(96).save(PICTURE, optimize=True)


def main() -> None:
    """Draw, count, write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=1000)
    parser.add_argument("--pictures", type=int, default=80)
    told = parser.parse_args()
    drawn = cameras(told.scenes)
    shares = white_shares(drawn[: told.pictures])
    draw(drawn, shares)
    path = write("camera_statistics", figures(drawn, shares))
    print(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
