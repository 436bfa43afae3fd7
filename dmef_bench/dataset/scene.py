"""Open a dataset and load its scenes; every byte is checked on its way in."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dmef_bench.dataset.layout import WORK_FOLDER, read_plain_file
from dmef_bench.dataset.manifest import Manifest, read_manifest
from dmef_bench.dataset.records import SPLITS, DatasetRecord, SceneRecord
from dmef_bench.errors import IntegrityError, UsageError
from dmef_bench.picture_files import MAX_PIXELS, decode_picture
from synth.camera_response import CameraResponse, camera_response

if TYPE_CHECKING:
    import torch

    from baselines import Bracket


@dataclass(frozen=True)
class Scene:
    """Three exposures of one moving scene with their ground truth, still on disk.

    Attributes:
        root: the dataset's folder.
        split: "train" or "test".
        record: its line of metadata.jsonl.
    """

    root: Path
    split: str
    record: SceneRecord

    @property
    def id(self) -> str:
        """Split and number, for example "test/0001"."""
        return f"{self.split}/{self.record.scene}"

    @property
    def response(self) -> CameraResponse:
        """The camera response model its exposures were synthesised with."""
        return camera_response(self.record.response.model, **self.record.response.parameters)

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
            pixels = torch.from_numpy(self.load_picture(picture)).to(device)
            images[0, index] = pixels.permute(2, 0, 1)
        return Bracket(images.div_(255), self.record.evs, self.response)

    def load_ground_truth(self) -> NDArray[np.uint8]:
        """The unaltered frame 2 as (H, W, 3) uint8 RGB.

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

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.record: DatasetRecord = manifest.record
        self.digest = manifest.digest
        self._scenes = manifest.scenes

    def scenes(self, split: str) -> list[Scene]:
        """The scenes of "train" or "test" in the order of their numbers.

        Raises:
            UsageError: there is no such split.
        """
        if split not in SPLITS:
            raise UsageError(f"no split {split!r}: choose one of {', '.join(SPLITS)}")
        return [Scene(self.path, split, record) for record in self._scenes.get(split, ())]


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
        return Dataset(path, read_manifest(path))
    except IntegrityError as error:
        if (path / WORK_FOLDER).is_dir():
            raise IntegrityError(
                f"{path}: its build was interrupted; run the same `dmef-bench build-dataset` "
                "command again to finish it"
            ) from error
        raise
