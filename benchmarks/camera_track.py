"""How long a camera exposure of one 4K picture takes: `python benchmarks/camera_track.py`.

Times, side by side, the table the package draws from and the simulation in floating point that it
stands for (NumPy's Poisson and normal numbers, then the response, pixel by pixel), at the least
and the most noise; with them the paper track's exposure, the table alone and the JPEG round trip.
About a minute. Writes benchmarks/results/camera_track.json.
"""

import numpy as np
from exposure import HEIGHT, WIDTH, dark_picture
from numpy.typing import NDArray
from report import median_seconds, write

from synth.camera_response import CameraResponse, Sigmoid
from synth.camera_track import Camera, camera_exposure
from synth.exposure import DEFAULT_EVS, expose
from synth.sensor_noise import SHOT_RANGE, SensorNoise, read_noise

MID = 1


def simulated(
    picture: NDArray[np.uint8], response: CameraResponse, noise: SensorNoise
) -> NDArray[np.uint8]:
    """The mid exposure with every pixel's light, electrons, read-out and response worked out."""
    rng = np.random.default_rng(0)
    light = response.inverse_response(picture / 255) * 2 ** DEFAULT_EVS[MID]
    sensed = noise.shot * rng.poisson(light / noise.shot)
    sensed += np.sqrt(noise.read) * rng.standard_normal(sensed.shape)
    brightness = response.response(np.clip(sensed, 0, 1))
    return (255 * np.clip(brightness, 0, 1) + 0.5).astype(np.uint8)


def main() -> None:
    """Measure everything and write the result file."""
    picture, response = dark_picture(HEIGHT, WIDTH), Sigmoid()
    tiny = picture[:1, :1]
    measured = {}
    for name, shot in zip(("least noise", "most noise"), SHOT_RANGE, strict=True):
        noise = SensorNoise(shot, read_noise(shot, 0))
        camera = Camera(0, response, DEFAULT_EVS, (noise,) * 3, None)
        ours = median_seconds(lambda c=camera: camera_exposure(picture, c, MID), 7)
        table = median_seconds(lambda c=camera: camera_exposure(tiny, c, MID), 7)
        floats = median_seconds(lambda n=noise: simulated(picture, response, n), 1)
        drawn = camera_exposure(picture, camera, MID).astype(float)
        by_floats = simulated(picture, response, noise).astype(float)
        measured[name] = {
            "shot": shot,
            "exposure_s": round(ours, 3),
            "of_it_table_s": round(table, 3),
            "simulation_s": round(floats, 2),
            "ratio": round(floats / ours, 1),
            "mean": [round(one.mean(), 3) for one in (drawn, by_floats)],
            "deviation": [round(one.std(), 3) for one in (drawn, by_floats)],
        }
    none = (SensorNoise(0.0, 0.0),) * 3
    with_jpeg = Camera(0, response, DEFAULT_EVS, none, 90)
    without = Camera(0, response, DEFAULT_EVS, none, None)
    jpeg = median_seconds(lambda: camera_exposure(picture, with_jpeg, MID), 5)
    plain = median_seconds(lambda: camera_exposure(picture, without, MID), 5)
    paper = median_seconds(lambda: expose(picture, DEFAULT_EVS[MID], response), 7)
    path = write(
        "camera_track",
        {
            "picture": f"{WIDTH}x{HEIGHT} RGB 8 bit, one exposure, one thread, medians",
            "camera": measured,
            "jpeg_round_trip_s": round(jpeg - plain, 3),
            "paper_track_s": round(paper, 3),
        },
    )
    print(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
