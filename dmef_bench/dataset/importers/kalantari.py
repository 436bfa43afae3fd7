"""The data set of Kalantari and Ramamoorthi, SIGGRAPH 2017, as its authors distribute it."""

from functools import partial
from pathlib import Path
from typing import Final

from dmef_bench.dataset.importers.folder_scene import FolderLayout, is_scene, read_folder_scene
from dmef_bench.dataset.importers.found import Found, FoundScene
from dmef_bench.dataset.importers.source_folder import folders, split_of
from dmef_bench.errors import UsageError

NAME: Final = "Kalantari"
CITATION: Final = (
    "Kalantari and Ramamoorthi, Deep High Dynamic Range Imaging of Dynamic Scenes, "
    "ACM Transactions on Graphics 36(4), 2017, doi 10.1145/3072959.3073609"
)
DISTRIBUTED: Final = {"train": 74, "test": 15}
LAYOUT_WORDS: Final = (
    "Training/ and Test/ (sub-folders are fine), in them a folder a scene with three 16-bit .tif "
    "exposures, exposure.txt with three EVs, and HDRImg.hdr"
)


def _is_tiff(name: str) -> bool:
    return name.lower().endswith((".tif", ".tiff"))


LAYOUT: Final = FolderLayout(_is_tiff, "*.tif", truth="HDRImg.hdr", exposure_file="exposure.txt")


def find_kalantari(folder: Path) -> Found:
    """The scenes below a folder, in order of their names.

    Raises:
        UsageError: no such folder, no scene in it, or a scene whose split its folders don't say.
    """
    scenes = []
    for place in folders(folder):
        if not is_scene(place, LAYOUT):
            continue
        relative = place.relative_to(folder)
        split = split_of(relative)
        if split is None:
            raise UsageError(
                f"{place}: a scene that is neither below a folder Training nor below a folder "
                f"Test; give the folder that holds both. Expected: {LAYOUT_WORDS}"
            )
        read = partial(read_folder_scene, place, LAYOUT)
        scenes.append(FoundScene(split, relative.as_posix(), read))
    if not scenes:
        raise UsageError(f"{folder}: holds no scene of this data set. Expected: {LAYOUT_WORDS}")
    return Found(
        root=folder,
        importer="kalantari",
        name=NAME,
        citation=CITATION,
        settings={"evs": "exposure.txt, counted from the darkest", "truth": "HDRImg.hdr as it is"},
        scenes=scenes,
        notes=count_notes(scenes, DISTRIBUTED),
    )


def count_notes(scenes: list[FoundScene], distributed: dict[str, int]) -> list[str]:
    """A sentence where other numbers of scenes are here than are distributed."""
    counts = {split: sum(scene.split == split for scene in scenes) for split in distributed}
    if counts == distributed:
        return []
    here, there = (
        " and ".join(f"{count} {split}" for split, count in each.items())
        for each in (counts, distributed)
    )
    return [f"{here} scenes are here; {there} are distributed"]
