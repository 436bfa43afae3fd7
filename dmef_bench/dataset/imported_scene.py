"""Scenes of imported datasets: photographs of 8 or 16 bit, and a ground truth of linear light."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from baselines.conventions import GAMMA
from dmef_bench.dataset.imported_records import ImportedSceneRecord
from dmef_bench.dataset.layout import read_plain_file
from dmef_bench.dataset.scene import Scene
from dmef_bench.errors import IntegrityError
from dmef_bench.linear_files import Light, decode_light
from dmef_bench.picture_files import MAX_PIXELS, Picture, decode_picture, to_eight_bits

if TYPE_CHECKING:
    import torch

    from baselines import Bracket


@dataclass(frozen=True)
class ImportedScene(Scene):
    """Three photographs of one moving scene with their ground truth in linear light."""

    record: ImportedSceneRecord

    @property
    def linear(self) -> bool:
        """Always: the ground truth is light, not a display-referred picture."""
        return True

    def load_picture(self, picture: str) -> NDArray[np.uint8]:
        """One of its pictures as it would be shown: (H, W, 3) uint8 RGB.

        16-bit values are rounded; the ground truth is clipped to [0, 1] and brought to ^(1/2.2).

        Args:
            picture: "low", "mid", "high" or "gt".

        Raises:
            IntegrityError: missing, a link, altered, damaged, or not of the recorded size.
        """
        if picture == "gt":
            shown = self.load_ground_truth().clip(0, 1) ** np.float32(1 / GAMMA)
            return np.rint(255 * shown).astype(np.uint8)
        return to_eight_bits(self.load_exposure(picture))

    def load_exposure(self, picture: str) -> Picture:
        """A photograph as (H, W, 3) RGB, uint8 or uint16, proved to be the manifest's.

        Args:
            picture: "low", "mid" or "high".

        Raises:
            IntegrityError: missing, a link, altered, damaged, or not of the recorded size.
        """
        name = self.record.pictures()[picture][0]
        image = decode_picture(self._content(picture), self.root / self.split / name)
        self._check_size(image.shape, name)
        return image

    def load_bracket(self, device: "str | torch.device" = "cpu") -> "Bracket":
        """See `Scene.load_bracket`; 16-bit values keep what they hold beyond 8 bits."""
        import torch

        from baselines import Bracket

        images = torch.empty((1, 3, 3, self.record.height, self.record.width), dtype=torch.float32)
        for index, picture in enumerate(("low", "mid", "high")):
            exposure = self.load_exposure(picture)
            scaled = exposure.astype(np.float32) / np.float32(np.iinfo(exposure.dtype).max)
            images[0, index] = torch.from_numpy(scaled).permute(2, 0, 1)
        return Bracket(images.to(device), self.record.evs, self.response)

    def load_ground_truth(self) -> Light:
        """The ground truth as (H, W, 3) float32 RGB, linear light; EV 0 saturates at 1.

        Raises:
            IntegrityError: the picture is missing, altered or damaged.
        """
        name = self.record.gt_file_name
        light = decode_light(self._content("gt"), self.root / self.split / name)
        self._check_size(light.shape, name)
        return light * np.float32(self.record.truth_scale)

    def _content(self, picture: str) -> bytes:
        name, sha256 = self.record.pictures()[picture]
        width, height = self.record.width, self.record.height
        if width * height > MAX_PIXELS:
            raise IntegrityError(
                f"{self.root / self.split / name}: {width}×{height} in the manifest is out of "
                "bounds"
            )
        # Three 64-bit floats a pixel, and room for tags: the largest file an import takes.
        limit = 24 * width * height + (1 << 20)
        content = read_plain_file(self.root, f"{self.split}/{name}", limit)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise IntegrityError(
                f"{self.root / self.split / name}: altered, its SHA-256 is not the one in the "
                "manifest"
            )
        return content

    def _check_size(self, shape: tuple[int, ...], name: str) -> None:
        if shape != (self.record.height, self.record.width, 3):
            raise IntegrityError(
                f"{self.root / self.split / name}: {shape[1]}×{shape[0]}, but the manifest says "
                f"{self.record.width}×{self.record.height}"
            )
