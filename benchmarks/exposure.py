"""How long exposures and LECARM take at 4K: `python benchmarks/exposure.py` (about 3 minutes).

Times, side by side, the 8-bit look-up table and the float evaluation it stands for; LECARM's
enhancement with both solvers; and, at 1080p, the exact illumination by this package and by
SciPy's sparse factorisation. Writes benchmarks/results/exposure.json.
"""

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from report import median_seconds, write
from scipy.ndimage import gaussian_filter
from scipy.sparse.linalg import spsolve

from synth.camera_response import MODELS, Sigmoid
from synth.exposure import expose
from synth.lecarm import brightest_channel, enhance, imresize, smooth_illumination
from synth.lecarm.illumination import SMOOTHNESS, texture_weights

HEIGHT, WIDTH = 2160, 3840


def dark_picture(height: int, width: int) -> NDArray[np.uint8]:
    """A dim picture with soft light, hard edges, texture and noise, seeded."""
    random = np.random.default_rng(0)
    light = gaussian_filter(random.random((height // 40, width // 40)), 4)
    light = (light - light.min()) / np.ptp(light)
    blocks = random.uniform(0.1, 1, (height // 40, width // 40))
    surface = np.kron(light * blocks, np.ones((40, 40)))[..., None] * random.uniform(0.5, 1, 3)
    return (255 * np.clip(0.5 * surface + random.normal(0.02, 0.01, surface.shape), 0, 1)).astype(
        np.uint8
    )


def float_exposure(picture: NDArray[np.uint8], model: str) -> NDArray[np.uint8]:
    """What the table stands for, value by value."""
    exposed = expose(picture / np.float32(255), 0.5, MODELS[model]())
    return (255 * exposed + 0.5).astype(np.uint8)


def exposures(picture: NDArray[np.uint8]) -> dict[str, dict[str, float]]:
    """Milliseconds by table and by float evaluation, and their ratio, for each model."""
    measured = {}
    for name, model in MODELS.items():
        response = model()
        by_table = median_seconds(lambda r=response: expose(picture, 0.5, r), repeats=15)
        by_floats = median_seconds(lambda n=name: float_exposure(picture, n), repeats=3)
        measured[name] = {
            "table_ms": round(1e3 * by_table, 2),
            "float_ms": round(1e3 * by_floats, 1),
            "ratio": round(by_floats / by_table, 1),
        }
    return measured


def enhancement(picture: NDArray[np.uint8]) -> dict[str, float]:
    """Seconds of LECARM with each solver, and how far its two results are apart."""
    seconds = {
        f"{solver}_s": round(median_seconds(lambda s=solver: enhance(picture, solver=s), 3), 2)
        for solver in ("pcg", "direct")
    }
    apart = np.abs(enhance(picture) - enhance(picture, solver="direct"))
    return {**seconds, "mean_difference": float(f"{apart.mean():.2g}")}


def factorisation(picture: NDArray[np.uint8]) -> dict[str, float]:
    """The exact illumination map by this package's direct solver and by SciPy's spsolve."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    T = imresize(brightest_channel(picture / 255.0), (height, width), 0.5)
    ours = median_seconds(lambda: smooth_illumination(T, "direct"), 3)
    scipys = median_seconds(lambda: factorised(T), 1)
    apart = np.abs(smooth_illumination(T, "direct") - factorised(T)).max()
    return {
        "unknowns": T.size,
        "direct_s": round(ours, 2),
        "spsolve_s": round(scipys, 2),
        "ratio": round(scipys / ours, 1),
        "largest_difference": float(f"{apart:.2g}"),
    }


def factorised(T: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same system by sparse LU with SciPy's fill-reducing ordering."""
    numbers = np.arange(T.size).reshape(T.shape)
    to_right, to_below = texture_weights(T)
    one = np.concatenate([numbers.ravel(), numbers.ravel()])
    other = np.concatenate([np.roll(numbers, -1, 1).ravel(), np.roll(numbers, -1, 0).ravel()])
    weights = SMOOTHNESS * np.concatenate([to_right.ravel(), to_below.ravel()])
    edges = sparse.coo_array((weights, (one, other)), (T.size, T.size)).tocsr()
    edges = edges + edges.T
    matrix = sparse.diags_array(1 + edges.sum(axis=1)) - edges
    solution = spsolve(matrix.tocsc(), T.ravel(), permc_spec="MMD_AT_PLUS_A")
    return solution.reshape(T.shape)


def main() -> None:
    """Measure everything and write the result file."""
    picture = dark_picture(HEIGHT, WIDTH)
    path = write(
        "exposure",
        {
            "picture": f"{WIDTH}x{HEIGHT} RGB 8 bit, medians",
            "model_of_enhance": Sigmoid.name,
            "expose": exposures(picture),
            "enhance": enhancement(picture),
            "illumination_at_1080p": factorisation(dark_picture(HEIGHT // 2, WIDTH // 2)),
        },
    )
    print(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
