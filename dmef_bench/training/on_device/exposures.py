"""The exposures of a whole batch: what `synth` does to one scene, done to all on the device."""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import torch
from torch import Generator, Tensor

from dmef_bench.training.samples import Stream, random_generator
from synth.camera_response import CameraResponse, camera_response
from synth.camera_track import Camera, CameraOptions, draw_camera, light_and_limits
from synth.exposure import DEFAULT_EVS, exposure_table

EVs = tuple[float, float, float]

# Cameras are drawn beforehand: so many exposure values, and so many cameras with each of them.
_GROUPS, _CAMERAS = 64, 32
# A batch has the same exposure values, so they are jittered from step to step.
_JITTER: Final = CameraOptions().ev_jitter


class Exposures(Protocol):
    """How batches are exposed."""

    @property
    def track(self) -> str:
        """As `Source.track`."""
        ...

    @property
    def response(self) -> CameraResponse | None:
        """Of all brackets; None where each has its own."""
        ...

    def expose(
        self, frames: Tensor, first: int, draws: Generator, noise: Generator
    ) -> tuple[Tensor, EVs]:
        """Low exposure of the first frame, mid of the second, high of the third.

        Args:
            frames: (B, 3 times, 3, h, w) uint8 on the device.
            first: whose turn it is, where samples are exposed in turns.
            draws: of the CPU: draws cameras.
            noise: of the device.

        Returns:
            (B, 3 exposures, 3, h, w) uint8, and the exposure values that all samples have.
        """
        ...


class PaperExposures:
    """One response, fixed exposure values, no noise: the tables of `synth.exposure`."""

    track: Final = "paper"
    response: Final = camera_response("sigmoid")

    def __init__(self, device: torch.device) -> None:
        tables = [exposure_table(ev, self.response) for ev in DEFAULT_EVS]
        self._tables = torch.from_numpy(np.stack(tables)).to(device)

    def expose(
        self, frames: Tensor, first: int, draws: Generator, noise: Generator
    ) -> tuple[Tensor, EVs]:
        """See `Exposures`; nothing is drawn."""
        exposed = [table[frames[:, time].long()] for time, table in enumerate(self._tables)]
        return torch.stack(exposed, 1), DEFAULT_EVS


class CameraExposures:
    """A camera for every sample, drawn as for a built dataset, with noise; no JPEG.

    Args:
        cameras: by exposure values, which those of one row share.
        device: where batches are.
    """

    track: Final = "camera"
    response: Final = None

    def __init__(self, cameras: Sequence[Sequence[Camera]], device: torch.device) -> None:
        self._evs = [row[0].evs for row in cameras]
        light, limits = zip(
            *(light_and_limits(camera.response) for row in cameras for camera in row), strict=True
        )
        noise = [[(n.shot, n.read) for n in camera.noise] for row in cameras for camera in row]
        self._light = torch.from_numpy(np.stack(light)).float().to(device)
        self._limits = torch.from_numpy(np.stack(limits)).float().to(device)
        self._noise = torch.tensor(noise).to(device)
        self._in_row = len(cameras[0])

    @classmethod
    def drawn(
        cls, seed: int, device: torch.device, *, jitter: float = _JITTER
    ) -> "CameraExposures":
        """Cameras of a seed.

        Args:
            seed: of the training.
            device: where batches are.
            jitter: stops by which the exposure values vary from step to step, up or down.
        """
        generator = random_generator(seed, Stream.CAMERAS)
        cameras = []
        for _ in range(_GROUPS):
            low, mid, high = (
                round(float(ev + generator.uniform(-jitter, jitter)), 3) for ev in DEFAULT_EVS
            )
            options = CameraOptions((low, mid, high), ev_jitter=0.0)
            keys = generator.integers(2**63, size=_CAMERAS)
            cameras.append([draw_camera(options, int(key)) for key in keys])
        return cls(cameras, device)

    def expose(
        self, frames: Tensor, first: int, draws: Generator, noise: Generator
    ) -> tuple[Tensor, EVs]:
        """See `Exposures`."""
        samples = len(frames)
        row = int(torch.randint(len(self._evs), (), generator=draws))
        camera = row * self._in_row + torch.randint(self._in_row, (samples,), generator=draws)
        camera = camera.to(frames.device)
        values = frames.flatten(2).long()
        ratio = 2 ** torch.tensor(self._evs[row], device=frames.device)
        light = self._light[camera][:, None] * ratio[:, None]
        shot, read = self._noise[camera].unbind(-1)
        sensed = _sensed(light.gather(2, values), shot[..., None], read[..., None], noise)
        limits = self._limits[camera][:, None].expand(-1, 3, -1).contiguous()
        exposed = torch.searchsorted(limits, sensed, right=True, out_int32=True)
        return exposed.to(torch.uint8).view_as(frames), self._evs[row]


class BothExposures:
    """Two samples in a row on the paper's track, the next two on the camera track.

    Args:
        paper: serves the first.
        camera: the others; with the same exposure values at every step.
    """

    track: Final = "both"
    response: Final = None

    def __init__(self, paper: PaperExposures, camera: CameraExposures) -> None:
        self._paper, self._camera = paper, camera

    def expose(
        self, frames: Tensor, first: int, draws: Generator, noise: Generator
    ) -> tuple[Tensor, EVs]:
        """See `Exposures`."""
        turns = [(first + slot) // 2 % 2 for slot in range(len(frames))]
        by_camera = torch.tensor(turns, device=frames.device, dtype=torch.bool)
        paper, evs = self._paper.expose(frames, first, draws, noise)
        camera, _ = self._camera.expose(frames, first, draws, noise)
        return torch.where(by_camera[:, None, None, None, None], camera, paper), evs


def _sensed(light: Tensor, shot: Tensor, read: Tensor, noise: Generator) -> Tensor:
    """Poisson-Gaussian noise (see `synth.sensor_noise`); none where `shot` is 0."""
    grain = torch.where(shot > 0, shot, 1)
    electrons = torch.poisson(light / grain, generator=noise) * grain
    sensed = torch.where(shot > 0, electrons, light)
    reading = torch.randn(light.shape, generator=noise, device=light.device)
    return torch.addcmul(sensed, reading, read.sqrt())
