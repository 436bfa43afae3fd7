"""Mobile-HDR (Liu et al., CVPR 2023) as its authors distribute it: packed Bayer planes in .npz."""

from functools import partial
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from dmef_bench.dataset.importers.found import BrokenSceneError, Found, FoundScene, ScenePictures
from dmef_bench.dataset.importers.kalantari import count_notes
from dmef_bench.dataset.importers.npz_file import read_arrays
from dmef_bench.dataset.importers.source_folder import files, folders, split_of
from dmef_bench.dataset.importers.truth_offset import truth_offset
from dmef_bench.errors import UsageError
from dmef_bench.linear_files import Light, encode_light
from dmef_bench.picture_files import PNG_ENCODER, encode_png

Planes = NDArray[np.float32]
Order = Literal["rggb", "bggr"]

NAME: Final = "Mobile-HDR"
CITATION: Final = (
    "Liu et al., Joint HDR Denoising and Fusion: A Real-World Mobile HDR Image Dataset, CVPR 2023"
)
DISTRIBUTED: Final = {"train": 85, "test": 30}
LAYOUT_WORDS: Final = (
    "NPZ_data/ with training_npz/ (static_translate/, dynamic/) and test_npz/ (test_withGT/), "
    "in them a .npz a scene with the arrays sht, mid, lng and hdr"
)
_EXPOSURES: Final = {"low": "sht", "mid": "mid", "high": "lng"}
# One ratio for the whole picture: rounding and dark noise move it by less than this many EV.
_RATIO_SPREAD: Final = 0.1
_USABLE: Final = (0.05, 0.95)
_FEWEST_VALUES: Final = 64


def find_mobile_hdr(folder: Path, order: Order = "rggb") -> Found:
    """The scenes below a folder, in order of their names.

    Args:
        folder: that holds NPZ_data, or NPZ_data itself.
        order: of the four colour planes; "rggb" is that of the authors' own code.

    Raises:
        UsageError: no such folder, no scene in it, or a scene whose split its folders don't say.
    """
    scenes, without_truth = [], 0
    for place in folders(folder):
        relative = place.relative_to(folder)
        if "withoutgt" in place.name.lower().replace("_", ""):
            without_truth += sum(path.suffix == ".npz" for path in files(place))
            continue
        for path in files(place):
            if path.suffix.lower() != ".npz":
                continue
            split = split_of(relative)
            if split is None:
                raise UsageError(
                    f"{path}: neither below a folder training_npz nor below a folder test_npz; "
                    f"give the folder that holds both. Expected: {LAYOUT_WORDS}"
                )
            read = partial(read_mobile_hdr_scene, path, order)
            scenes.append(FoundScene(split, (relative / path.name).as_posix(), read))
    if not scenes:
        raise UsageError(f"{folder}: holds no scene of Mobile-HDR. Expected: {LAYOUT_WORDS}")
    notes = count_notes(scenes, DISTRIBUTED)
    if without_truth:
        notes.append(f"scenes without ground truth (test_withoutGT), left out: {without_truth}")
    return Found(
        root=folder,
        importer="mobile-hdr",
        name=NAME,
        citation=CITATION,
        settings={
            "planes": f"{order}: R, mean of the two G, B; half the sensor's height and width",
            "exposures": "linear values ^(1/2.2), 16 bit PNG",
            "png": PNG_ENCODER,
            "evs": "median ratio of each exposure to itself in the ground truth's domain",
            "truth": "hdr as it is, float32 TIFF",
        },
        scenes=scenes,
        notes=notes,
    )


def read_mobile_hdr_scene(path: Path, order: Order) -> ScenePictures:
    """Read and check one .npz and make RGB pictures of its planes.

    Raises:
        BrokenSceneError: not as distributed.
    """
    arrays = read_arrays(path, (*_EXPOSURES.values(), "hdr"))
    height, width = arrays["hdr"].shape[1:]
    for name, planes in arrays.items():
        due = (4 if name == "hdr" else 8, height, width)
        if planes.shape != due:
            raise BrokenSceneError(f"{path}: array {name!r} has shape {planes.shape}, not {due}")
    stated = tuple(_ev(path, name, arrays[name]) for name in _EXPOSURES.values())
    if not stated[0] < stated[1] < stated[2]:
        shown = ", ".join(f"{ev:+.2f}" for ev in stated)
        raise BrokenSceneError(f"{path}: sht, mid and lng are at EV {shown}, which does not rise")
    light = _colours(arrays["hdr"], order).clip(min=0)
    pictures = {
        picture: _sixteen_bit(_colours(arrays[name][:4], order))
        for picture, name in _EXPOSURES.items()
    }
    written = {picture: (".png", encode_png(image)) for picture, image in pictures.items()}
    low, mid, high = stated
    return ScenePictures(
        files={**written, "gt": (".tif", encode_light(light))},
        height=height,
        width=width,
        evs=(low, mid, high),
        stated_evs=(low, mid, high),
        truth_offset=truth_offset(light, pictures["mid"], mid),
    )


def _ev(path: Path, name: str, planes: Planes) -> float:
    """log2 of planes 0 to 3 over planes 4 to 7: the exposure and the same in the truth's domain."""
    taken, light = planes[:4], planes[4:]
    least, most = _USABLE
    usable = (taken > least) & (taken < most) & (light > 0)
    if np.count_nonzero(usable) < _FEWEST_VALUES:
        raise BrokenSceneError(f"{path}: array {name!r} has too few usable values to find its EV")
    ratios = np.log2(taken[usable].astype(np.float64) / light[usable])
    low, middle, high = np.percentile(ratios, (10, 50, 90))
    if high - low > _RATIO_SPREAD:
        raise BrokenSceneError(
            f"{path}: planes 0-3 and 4-7 of array {name!r} are not at one exposure ratio (its EV "
            f"spreads from {low:+.2f} to {high:+.2f}); take the file as it is distributed"
        )
    return round(float(middle), 4)


def _colours(planes: Planes, order: Order) -> Light:
    """(4, h, w) planes as (h, w, 3) RGB: nothing is interpolated, two greens are averaged."""
    red, blue = (planes[0], planes[3]) if order == "rggb" else (planes[3], planes[0])
    return np.stack((red, (planes[1] + planes[2]) / 2, blue), axis=-1)


def _sixteen_bit(linear: Light) -> NDArray[np.uint16]:
    return np.rint(65535 * linear.clip(0, 1) ** np.float32(1 / 2.2)).astype(np.uint16)
