"""The pictures runs left behind, as data: addresses that fit in one page.

Layout below a run: pictures/<scene with "-" for "/">/ with low, mid, high, ground_truth, result and
error as .jpg, crop<N>_{reference,ground_truth,result}.png and crops.json.
"""

import base64
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Final, TypeVar

from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from leaderboard.errors import RecordError
from leaderboard.plain_file import read_plain
from leaderboard.records import PICTURES_FOLDER, SampleRecord
from leaderboard.row import Row
from leaderboard.table import Leaderboard
from leaderboard.wording import printable

_T = TypeVar("_T")
# Base64 makes this 9.3 MB; text and tables are small beside it.
PAGE_BYTES: Final = 7_000_000
_FILE_BYTES = 1_500_000
_LARGEST_SIDE = 2048
_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png"}
_DAMAGED = (
    RecordError,
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    ValueError,
    SyntaxError,
)
_BRACKET = (
    ("low", "Low exposure, frame 1"),
    ("mid", "Mid exposure, frame 2: the reference"),
    ("high", "High exposure, frame 3"),
    ("ground_truth", "Ground truth, frame 2"),
)
_WHAT = {"clipped": "where the reference is most clipped", "motion": "where the scene moves most"}


@dataclass(frozen=True)
class Picture:
    """A picture in the page: what it shows, its data: address and its size in pixels."""

    caption: str
    address: str
    width: int
    height: int


@dataclass(frozen=True)
class RowPictures:
    """What one row made of a scene: the result and its error map."""

    row: Row
    sample: SampleRecord | None
    result: Picture | None
    error: Picture | None


@dataclass(frozen=True)
class Crop:
    """A piece of the scene at native pixels: reference and ground truth, then every row's."""

    caption: str
    shared: tuple[Picture, ...]
    results: tuple[tuple[Row, Picture], ...]


@dataclass(frozen=True)
class ScenePictures:
    """Everything the page shows of one scene."""

    scene: str
    bracket: tuple[Picture, ...]
    crops: tuple[Crop, ...]
    rows: tuple[RowPictures, ...]


@dataclass
class PictureBudget:
    """How many bytes of pictures a page may still take, and what was left out for it.

    Results and error maps come first, row by row; a crop is shown for every row or for none, so
    that no method is missing from a comparison.
    """

    left: int = PAGE_BYTES
    left_out: list[str] = field(default_factory=list)

    def all_or_none(self, what: str, read: Callable[["PictureBudget"], _T]) -> _T | None:
        """What `read` makes of the budget; None, and nothing spent, where it does not all fit."""
        trial = PictureBudget(self.left)
        pictures = read(trial)
        if trial.left_out:
            self.left_out.append(what)
            return None
        self.left = trial.left
        return pictures


class _CropPlace(BaseModel):
    model_config = ConfigDict(extra="ignore")

    x: Annotated[int, Field(ge=0)]
    y: Annotated[int, Field(ge=0)]
    what: str


_CROPS = TypeAdapter(dict[Annotated[str, Field(pattern=r"^crop[1-9]$")], _CropPlace])


def scene_pictures(board: Leaderboard, budget: PictureBudget) -> list[ScenePictures]:
    """The scenes of a board that have pictures, as far as the budget goes.

    Pictures that are missing, damaged, links or too large are left out; so is what no longer
    fits, which `budget.left_out` names.
    """
    scenes = []
    for scene in board.scenes:
        folders = [(row, folder) for row in board.measured if (folder := _folder(row, scene))]
        if folders:
            scenes.append(_scene(scene, folders, budget))
    return list(_present(scenes))


def _folder(row: Row, scene: str) -> Path | None:
    if row.run is None:
        return None
    pictures = row.run.folder / PICTURES_FOLDER
    folder = pictures / scene.replace("/", "-")
    links = pictures.is_symlink() or folder.is_symlink()
    return folder if folder.is_dir() and not links else None


def _scene(
    scene: str, folders: Sequence[tuple[Row, Path]], budget: PictureBudget
) -> ScenePictures | None:
    files = [folder for _, folder in folders]
    bracket = _present(_first(files, f"{name}.jpg", caption, budget) for name, caption in _BRACKET)
    rows = _present(_row(scene, row, folder, budget) for row, folder in folders)
    if not rows:
        return None
    places = next((found for folder in files if (found := _crop_places(folder))), {})
    crops = _present(
        budget.all_or_none(f"{name} of scene {scene}", partial(_crop, name, place, folders))
        for name, place in sorted(places.items())
    )
    return ScenePictures(scene, bracket, crops, rows)


def _row(scene: str, row: Row, folder: Path, budget: PictureBudget) -> RowPictures | None:
    return budget.all_or_none(
        f"{row.label} on scene {scene}",
        lambda trial: RowPictures(
            row,
            row.sample(scene),
            _picture(folder / "result.jpg", f"Result of {row.label}", trial),
            _picture(folder / "error.jpg", f"Error of {row.label}", trial),
        ),
    )


def _crop(
    name: str, place: "_CropPlace", folders: Sequence[tuple[Row, Path]], budget: PictureBudget
) -> Crop:
    files = [folder for _, folder in folders]
    what = _WHAT.get(place.what, printable(place.what, 60))
    return Crop(
        f"{what}, at x {place.x}, y {place.y}",
        _present(
            _first(files, f"{name}_{part}.png", caption, budget)
            for part, caption in (("reference", "Reference"), ("ground_truth", "Ground truth"))
        ),
        tuple(
            (row, picture)
            for row, folder in folders
            if (picture := _picture(folder / f"{name}_result.png", row.label, budget))
        ),
    )


def _first(
    folders: Sequence[Path], name: str, caption: str, budget: PictureBudget
) -> Picture | None:
    """Bracket and truth are the same in every run: the first one that can be read."""
    found = (_picture(folder / name, caption, budget) for folder in folders)
    return next((picture for picture in found if picture), None)


def _present(pictures: Iterable[_T | None]) -> tuple[_T, ...]:
    return tuple(picture for picture in pictures if picture is not None)


def _crop_places(folder: Path) -> dict[str, _CropPlace]:
    try:
        return _CROPS.validate_json(read_plain(folder / "crops.json", 65536))
    except (RecordError, ValidationError):
        return {}


def _picture(path: Path, caption: str, budget: PictureBudget) -> Picture | None:
    try:
        content = read_plain(path, _FILE_BYTES)
        with Image.open(io.BytesIO(content), formats=tuple(_TYPES)) as image:
            kind, (width, height) = _TYPES[image.format or ""], image.size
    except _DAMAGED:
        return None
    if max(width, height) > _LARGEST_SIDE:
        return None
    if len(content) > budget.left:
        budget.left_out.append(f"{caption}: {path.name}")
        return None
    budget.left -= len(content)
    address = f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
    return Picture(caption, address, width, height)
