"""Open a dataset and load its scenes; every byte is checked on its way in."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dmef_bench.dataset.imported_records import ImportedSceneRecord
from dmef_bench.dataset.layout import PULL_FOLDER, WORK_FOLDER, read_plain_file
from dmef_bench.dataset.manifest import (
    AnyDatasetRecord,
    AnyManifest,
    AnySceneRecord,
    read_any_manifest,
)
from dmef_bench.dataset.records import SPLITS, ResponseRecord, SceneRecord
from dmef_bench.errors import IntegrityError, UsageError
from dmef_bench.picture_files import MAX_PIXELS, Picture, decode_picture
from synth.camera_response import CameraResponse, camera_response

if TYPE_CHECKING:
    import torch

    from baselines import Bracket


GroundTruth = NDArray[np.uint8] | NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """Three exposures of one moving scene with their ground truth, still on disk.

    Attributes:
        root: the dataset's folder.
        split: "train" or "test".
        record: its line of metadata.jsonl.
        track: which of its exposures are loaded where the dataset has several; None for those of
            the first track.
    """

    root: Path
    split: str
    record: AnySceneRecord
    track: str | None = None

    @property
    def linear(self) -> bool:
        """Whether the ground truth is linear light instead of a display-referred picture."""
        return False

    @property
    def id(self) -> str:
        """Split and number, for example "test/0001"."""
        return f"{self.split}/{self.record.scene}"

    @property
    def response(self) -> CameraResponse:
        """The camera response model its exposures were synthesised with."""
        beside = self._camera_beside
        found = self.record.response if beside is None else beside[1]
        return camera_response(found.model, **found.parameters)

    @property
    def evs(self) -> tuple[float, float, float]:
        """Exposure values of low, mid and high relative to the ground truth."""
        beside = self._camera_beside
        return self.record.evs if beside is None else beside[0]

    @property
    def _camera_beside(self) -> tuple[tuple[float, float, float], ResponseRecord] | None:
        """EVs and response of a camera track beside the paper's, where that one is to be loaded."""
        if self.track != "camera" or not isinstance(self.record, SceneRecord):
            return None
        evs, response = self.record.camera_evs, self.record.camera_response
        return None if evs is None or response is None else (evs, response)

    def load_picture(self, picture: str) -> NDArray[np.uint8]:
        """One of its pictures as (H, W, 3) uint8 RGB, proved to be the one in the manifest.

        Args:
            picture: "low", "mid", "high", "gt" or another key of `record.pictures()`.

        Raises:
            IntegrityError: missing, a link, altered, damaged, or not of the recorded size.
        """
        name, sha256 = self.record.pictures()[picture]
        path = self.root / self.split / name
        width, height = self.record.width, self.record.height
        if width * height > MAX_PIXELS:
            raise IntegrityError(f"{path}: {width}×{height} in the manifest is out of bounds")
        # No PNG of 8-bit RGB is larger than its pixels at 16 bit.
        content = read_plain_file(self.root, f"{self.split}/{name}", 6 * width * height + 65536)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise IntegrityError(f"{path}: altered, its SHA-256 is not the one in the manifest")
        image = decode_picture(content, path, max_pixels=width * height)
        if image.shape != (height, width, 3) or image.dtype != np.uint8:
            raise IntegrityError(
                f"{path}: {image.shape[1]}×{image.shape[0]} {image.dtype}, "
                f"but the manifest says {width}×{height} uint8"
            )
        return image.astype(np.uint8, copy=False)

    def load_exposure(self, exposure: str) -> Picture:
        """One of the three pictures of its bracket, on its track, as (H, W, 3) RGB.

        Args:
            exposure: "low", "mid" or "high".

        Raises:
            IntegrityError: as `load_picture`.
        """
        return self.load_picture(exposure if self._camera_beside is None else f"camera_{exposure}")

    def load_bracket(self, device: "str | torch.device" = "cpu") -> "Bracket":
        """Its low, mid and high exposure as methods take them.

        Returns:
            images (1, 3, 3, H, W) float32 in [0, 1] on `device`, with EVs and response.

        Raises:
            IntegrityError: a picture is missing, altered or damaged.
        """
        import torch

        from baselines import Bracket

        images = torch.empty(
            (1, 3, 3, self.record.height, self.record.width), dtype=torch.float32, device=device
        )
        for index, picture in enumerate(("low", "mid", "high")):
            pixels = torch.from_numpy(self.load_exposure(picture)).to(device)
            images[0, index] = pixels.permute(2, 0, 1)
        return Bracket(images.div_(255), self.evs, self.response)

    def load_ground_truth(self) -> GroundTruth:
        """The unaltered frame 2 as (H, W, 3) uint8 RGB; float32 light where `linear`.

        Raises:
            IntegrityError: the picture is missing, altered or damaged.
        """
        return self.load_picture("gt")


class Dataset:
    """A dataset whose manifest was read and checked; pictures are read when a scene is loaded.

    Attributes:
        path: its folder.
        record: `dataset.json`.
        digest: 64 hexadecimal digits over the manifest; changes when any picture does.
    """

    def __init__(self, path: Path, manifest: AnyManifest) -> None:
        self.path = path
        self.record: AnyDatasetRecord = manifest.record
        self.digest = manifest.digest
        self._scenes = manifest.scenes

    @property
    def tracks(self) -> tuple[str, ...]:
        """How its exposures were made, the one that is loaded unless another is asked for first."""
        return tuple(self.record.track.split("+"))

    def chosen_track(self, track: str | None) -> str:
        """The track that was asked for, or else the first.

        Raises:
            UsageError: the dataset does not have it.
        """
        if track is not None and track not in self.tracks:
            captured = self.tracks == ("captured",)
            remedy = "" if captured else "; build a dataset with --track both to have both"
            raise UsageError(
                f"{self.path}: its exposures are of the track {self.tracks[0]}, not {track}{remedy}"
            )
        return track or self.tracks[0]

    def scenes(self, split: str, track: str | None = None) -> list[Scene]:
        """The scenes of "train" or "test" in the order of their numbers.

        Args:
            split: "train" or "test".
            track: one of `tracks`, whose exposures the scenes load; None for the first.

        Raises:
            UsageError: there is no such split or track.
        """
        if split not in SPLITS:
            raise UsageError(f"no split {split!r}: choose one of {', '.join(SPLITS)}")
        track = self.chosen_track(track)
        return [_scene(self.path, split, record, track) for record in self._scenes.get(split, ())]


def _scene(path: Path, split: str, record: AnySceneRecord, track: str) -> Scene:
    if isinstance(record, ImportedSceneRecord):
        from dmef_bench.dataset.imported_scene import ImportedScene  # it builds on `Scene`

        return ImportedScene(path, split, record, track)
    return Scene(path, split, record, track)


def open_dataset(path: Path) -> Dataset:
    """Open the dataset in folder `path`.

    Raises:
        UsageError: there is no such folder.
        IntegrityError: no dataset, one whose build is unfinished, or a manifest that is broken,
            hostile or of another schema.
    """
    if not path.is_dir():
        raise UsageError(f"{path}: no such folder; build a dataset with `dmef-bench build-dataset`")
    try:
        return Dataset(path, read_any_manifest(path))
    except IntegrityError as error:
        if (path / WORK_FOLDER).is_dir():
            raise IntegrityError(
                f"{path}: its build was interrupted; run the same `dmef-bench build-dataset` "
                "(or `import`) command again to finish it"
            ) from error
        if (path / PULL_FOLDER).is_dir():
            raise IntegrityError(
                f"{path}: its pull was interrupted; run the same `dmef-bench pull` command again "
                "to finish it"
            ) from error
        raise
