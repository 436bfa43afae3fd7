"""Small public data sets as their authors distribute them: real 16-bit TIFF, .hdr and .npz."""

from pathlib import Path

import cv2
import numpy as np
import tifffile

EVS = (-2.0, 0.0, 2.0)
SIZE = (48, 64)


def light(seed: int, height: int = SIZE[0], width: int = SIZE[1]) -> np.ndarray:
    """Smooth linear light, (H, W, 3) float32 RGB in [0, 1] with a bright part."""
    random = np.random.default_rng(seed)
    field = cv2.GaussianBlur(random.random((height, width, 3)).astype(np.float32), (0, 0), 3)
    field = (field - field.min()) / (field.max() - field.min())
    return 0.002 + 0.9 * field**4


def exposure(of: np.ndarray, ev: float) -> np.ndarray:
    """The photograph of light at an EV, (H, W, 3) uint16 RGB."""
    return np.rint(65535 * (of * 2.0**ev).clip(0, 1) ** (1 / 2.2)).astype(np.uint16)


def write_radiance(path: Path, of: np.ndarray) -> None:
    assert cv2.imwrite(str(path), np.ascontiguousarray(of[..., ::-1]))


def write_scene(folder: Path, seed: int = 0, evs=EVS, size=SIZE, truth="HDRImg.hdr") -> Path:
    """A scene of Kalantari's; the exposures are 0, 2 and 4 EV above the ground truth's scale."""
    folder.mkdir(parents=True)
    of = light(seed, *size)
    for number, ev in enumerate(evs):
        tifffile.imwrite(folder / f"26{number}A.tif", exposure(of, ev - evs[0]), photometric="rgb")
    (folder / "exposure.txt").write_text("".join(f"{ev:.6f}\r\n" for ev in evs))
    write_radiance(folder / truth, of)
    return folder


def write_kalantari(folder: Path, train: int = 2, test: int = 2) -> Path:
    """Training/001, ... and Test/PAPER/..., as distributed."""
    for number in range(1, train + 1):
        write_scene(folder / "Training" / f"{number:03d}", number)
    for number in range(1, test + 1):
        write_scene(folder / "Test" / "PAPER" / f"Scene{number}", 100 + number)
    return folder


def planes(of: np.ndarray) -> np.ndarray:
    """(4, H, W) R, G, G, B planes; the two greens differ a little."""
    red, green, blue = np.moveaxis(of, -1, 0)
    return np.stack((red, green * 0.99, green * 1.01, blue)).astype(np.float32)


def write_mobile_scene(path: Path, seed: int = 0, evs=(0.0, 2.0, 4.0), **arrays) -> Path:
    """A .npz of Mobile-HDR; `arrays` replace or (None) remove one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = planes(light(seed))
    held = {"hdr": packed}
    for name, ev in zip(("sht", "mid", "lng"), evs, strict=True):
        taken = (packed * 2.0**ev).clip(0, 1)
        held[name] = np.concatenate((taken, taken / 2.0**ev)).astype(np.float32)
    held |= arrays
    np.savez(path, **{name: array for name, array in held.items() if array is not None})
    return path


def write_mobile_hdr(folder: Path) -> Path:
    """Two train scenes, one test scene with and one without ground truth, as distributed."""
    data = folder / "NPZ_data"
    write_mobile_scene(data / "training_npz" / "dynamic" / "a.npz", 1)
    write_mobile_scene(data / "training_npz" / "static_translate" / "b.npz", 2)
    write_mobile_scene(data / "test_npz" / "test_withGT" / "c.npz", 3)
    write_mobile_scene(data / "test_npz" / "test_withoutGT" / "d.npz", 4, hdr=None)
    return folder
