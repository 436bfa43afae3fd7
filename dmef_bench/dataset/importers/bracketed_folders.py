"""Any folders with three bracketed photographs and a ground truth of linear light each."""

import re
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from dmef_bench.dataset.imported_records import EVs
from dmef_bench.dataset.importers.folder_scene import FolderLayout, is_scene, read_folder_scene
from dmef_bench.dataset.importers.found import Found, FoundScene
from dmef_bench.dataset.importers.source_folder import folders, split_of
from dmef_bench.errors import UsageError

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._ -]{0,62}[A-Za-z0-9])?")
_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")


def find_bracketed_folders(
    folder: Path,
    *,
    pattern: str,
    truth: str,
    exposure_file: str = "exposure.txt",
    evs: EVs | None = None,
    fit_scale: bool = False,
    name: str = "bracketed-folders",
    citation: str = "",
) -> Found:
    """The scenes below a folder, in order of their names; one a folder.

    Args:
        folder: where to look.
        pattern: shell pattern of the three exposures' file names, as "*.tif".
        truth: file name of the ground truth, as "HDRImg.hdr".
        exposure_file: file name of the three EVs; not looked at where `evs` are given.
        evs: of the exposures in order of their names.
        fit_scale: scale each ground truth to the brightness its mid exposure says.
        name: of the dataset.
        citation: whose the pictures are.

    Raises:
        UsageError: no such folder, no scene in it, or an option that can't be used.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"--name {name!r}: letters, digits, dots, spaces and hyphens only, at most 64"
        )
    if "/" in pattern or not pattern:
        raise UsageError(f"--pattern {pattern!r}: of file names in a scene's folder, as '*.tif'")
    if not truth.lower().endswith((".hdr", ".tif", ".tiff")) or "/" in truth:
        raise UsageError(f"--truth {truth!r}: the name of a .hdr or float .tif file, as HDRImg.hdr")
    if evs is not None and len(set(evs)) < 3:
        raise UsageError(f"--ev {','.join(map(str, evs))}: three different EVs are due")

    def is_exposure(file: str) -> bool:
        return file.lower().endswith(_SUFFIXES) and fnmatchcase(file, pattern)

    layout = FolderLayout(
        is_exposure, f"{pattern}, .png, .tif or .jpg", truth,
        None if evs is not None else exposure_file, evs, fit_scale,
    )  # fmt: skip
    scenes = [
        FoundScene(
            split_of(place.relative_to(folder)) or "test",
            place.relative_to(folder).as_posix(),
            partial(read_folder_scene, place, layout),
        )
        for place in folders(folder)
        if is_scene(place, layout)
    ]
    if not scenes:
        raise UsageError(
            f"{folder}: no folder in it holds a file {pattern} or {truth}; "
            "say with --pattern and --truth how they are named"
        )
    return Found(
        root=folder,
        importer="folders",
        name=name,
        citation=citation,
        settings={
            "pattern": pattern,
            "truth": f"{truth}, fitted to the mid exposure" if fit_scale else f"{truth} as it is",
            "evs": (
                f"{exposure_file}, counted from the darkest"
                if evs is None
                else f"{', '.join(f'{ev:+g}' for ev in evs)}, counted from the darkest"
            ),
        },
        scenes=scenes,
    )
