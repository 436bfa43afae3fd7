"""What the scenes of a dataset are like: every figure of every scene, and their spread."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from dmef_bench.dataset import measures
from dmef_bench.dataset.contact_sheet import Tile, make_tile
from dmef_bench.dataset.records import PICTURES, SceneRecord
from dmef_bench.dataset.scene import Dataset, Scene
from dmef_bench.errors import UsageError
from dmef_bench.progress import progress_bar

EXPOSURES: Final = ("low", "mid", "high")
_ENDS: Final = ("white", "black")
# Figure -> its unit, in the order they are shown.
FIGURES: Final[Mapping[str, str]] = {
    "spacing": "s",
    "motion": "share",
    "flow_mean": "px at 4K",
    "flow_p95": "px at 4K",
    "moving": "share",
    "sharpness": "relative",
    "blur": "0 to 1",
    **{f"{end}_{picture}": "share" for end in _ENDS for picture in PICTURES},
    **{f"ev_{exposure}": "EV" for exposure in EXPOSURES},
    **{f"camera_ev_{exposure}": "EV" for exposure in EXPOSURES},
}


@dataclass(frozen=True)
class SceneFigures:
    """A scene in numbers.

    Attributes:
        id: as "test/0001".
        video: SHA-256 of the video it came from.
        figures: name -> value, None where it is not recorded and can't be had from the pictures.
    """

    id: str
    video: str
    figures: dict[str, float | None]


@dataclass(frozen=True)
class Spread:
    """How one figure varies over the scenes that have it."""

    scenes: int
    least: float
    median: float
    mean: float
    p95: float
    most: float


def dataset_scenes(dataset: Dataset) -> list[tuple[Scene, SceneRecord]]:
    """All scenes with their lines of metadata.jsonl, training first.

    Raises:
        UsageError: the dataset was imported.
    """
    found = []
    for scene in (scene for split in dataset.record.scenes for scene in dataset.scenes(split)):
        if not isinstance(scene.record, SceneRecord):
            raise UsageError(
                f"{dataset.path}: a dataset that was imported; statistics are of datasets that "
                "build-dataset made from videos"
            )
        found.append((scene, scene.record))
    return found


def look_at(
    scenes: Sequence[tuple[Scene, SceneRecord]], *, tiles: bool, workers: int, quiet: bool
) -> tuple[list[SceneFigures], list[Tile]]:
    """The figures of each scene, and what a contact sheet shows of it.

    Pictures are read only where tiles are wanted, or for what a dataset of an earlier version does
    not record and its pictures still show: blur and clipping.

    Args:
        scenes: of one dataset.
        tiles: whether tiles are wanted.
        workers: scenes at once.
        quiet: show no progress bar.

    Raises:
        IntegrityError: a picture is missing, altered or damaged.
    """
    with ThreadPoolExecutor(workers) as pool, progress_bar(quiet=quiet) as bar:
        task = bar.add_task("look at scenes", total=len(scenes))
        found = []
        for each in pool.map(lambda scene: _look(*scene, tiles=tiles), scenes):
            found.append(each)
            bar.advance(task)
    return [figures for figures, _ in found], [tile for _, tile in found if tile is not None]


def _look(scene: Scene, record: SceneRecord, *, tiles: bool) -> tuple[SceneFigures, Tile | None]:
    figures = _recorded(record)
    tile = None
    if tiles or figures["blur"] is None or figures["white_gt"] is None:
        pictures = {picture: scene.load_picture(picture) for picture in PICTURES}
        if figures["blur"] is None:
            figures["blur"] = measures.blur(pictures["gt"])
        if figures["white_gt"] is None:
            for picture, pixels in pictures.items():
                figures |= measures.clipping(picture, pixels)
        if tiles:
            tile = make_tile(scene.id, record.source.name, pictures, figures)
    return SceneFigures(scene.id, record.source.sha256, figures), tile


def _recorded(record: SceneRecord) -> dict[str, float | None]:
    """Of the two steps between the frames, the larger flow and the smaller moving share count."""
    first, _, last = record.presentation_times
    figures: dict[str, float | None] = dict.fromkeys(FIGURES)
    figures |= {"spacing": (last - first) / 2, "motion": record.motion}
    for name in ("sharpness", "blur", *(f"{end}_{of}" for end in _ENDS for of in PICTURES)):
        figures[name] = getattr(record, name)
    figures["flow_mean"] = _one_of(max, record.flow_mean_12, record.flow_mean_23)
    figures["flow_p95"] = _one_of(max, record.flow_p95_12, record.flow_p95_23)
    figures["moving"] = _one_of(min, record.moving_12, record.moving_23)
    for prefix, evs in (("", record.evs), ("camera_", record.camera_evs)):
        for exposure, ev in zip(EXPOSURES, evs or (), strict=False):
            figures[f"{prefix}ev_{exposure}"] = ev
    return figures


def _one_of(
    choose: Callable[[float, float], float], first: float | None, second: float | None
) -> float | None:
    return None if first is None or second is None else choose(first, second)


def spreads(scenes: Iterable[SceneFigures]) -> dict[str, Spread | None]:
    """Figure -> its spread over the scenes, None where no scene has it."""
    rows = list(scenes)
    found: dict[str, Spread | None] = {}
    for name in FIGURES:
        values = [value for row in rows if (value := row.figures[name]) is not None]
        found[name] = _spread(values) if values else None
    return found


def _spread(values: list[float]) -> Spread:
    least, median, p95, most = (float(np.percentile(values, at)) for at in (0, 50, 95, 100))
    return Spread(len(values), least, median, float(np.mean(values)), p95, most)
