"""The folder of a training run: what is in it, and when it is written."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from dmef_bench.atomic_write import atomic_write
from dmef_bench.progress import progress_bar
from dmef_bench.training.checkpoint import TrainingState, save_checkpoint
from dmef_bench.training.curve import draw_curve
from dmef_bench.training.device_memory import told_when_full
from dmef_bench.training.log import TrainingLog
from dmef_bench.training.recipes import Recipe
from dmef_bench.training.settings import TrainSettings
from dmef_bench.training.tensor_file import tensor_file
from dmef_bench.training.validation import HeldOutScenes

CHECKPOINT_FILE: Final = "checkpoint.safetensors"
LOG_FILE: Final = "log.csv"
CURVE_FILE: Final = "log.png"
WEIGHTS_FILE: Final = "weights.safetensors"


def forget(output: Path) -> None:
    """Remove what an earlier training left in a folder, and nothing else."""
    for name in (CHECKPOINT_FILE, LOG_FILE, CURVE_FILE, WEIGHTS_FILE):
        (output / name).unlink(missing_ok=True)


class RunFolder:
    """What a run leaves: checkpoint, log, curve and the averaged weights.

    Args:
        path: made if missing.
        recipe: the method.
        settings: of the run.
        averaged: the network whose weights are kept and validated.
        told: all that the checkpoint and the weights say of the run.
        track: on which held-out scenes are measured, as `HeldOutScenes` takes it.
        curve: draw the log at every validation.

    Attributes:
        quality: PSNR and SSIM of the newest validation, None before the first.
    """

    def __init__(
        self,
        path: Path,
        recipe: Recipe,
        settings: TrainSettings,
        averaged: nn.Module,
        told: dict[str, Any],
        track: str,
        *,
        curve: bool,
    ) -> None:
        self._recipe, self._settings, self._averaged, self._told = recipe, settings, averaged, told
        self._path, self._curve = path, curve
        self._held_out = HeldOutScenes(settings.validation_scenes, settings.validation_side, track)
        self.quality: tuple[float | None, float | None] = None, None

    @contextlib.contextmanager
    def opened(self, done: int, *, quiet: bool) -> Iterator[None]:
        """Ready to write the steps after `done`; shows a progress bar unless quiet.

        Raises:
            MissingError: the disk is full or can't be written.
        """
        with (
            TrainingLog(self._path / LOG_FILE, done, self._held_out.tracks) as self._log,
            progress_bar(quiet=quiet) as self._bar,
        ):
            self.quality = self._log.last_psnr, self._log.last_ssim
            self._task = self._bar.add_task(
                self._recipe.name, total=self._settings.steps, completed=done
            )
            yield

    def write(
        self, state: TrainingState, loss: float, rate: float, device: torch.device, *, stop: bool
    ) -> None:
        """A finished step's row in the log, and what is due after it.

        Args:
            state: after the step.
            loss: of it.
            rate: its learning rate.
            device: where the network is.
            stop: whether the run stops here, to be gone on with later.

        Raises:
            MissingError: the disk is full or can't be written.
            DeviceFullError: the device's memory is full.
        """
        settings, log = self._settings, self._log
        last = state.step == settings.steps
        validated = last or state.step % settings.validate_every == 0
        quality = None
        if validated:
            with told_when_full(device, "validation"):
                quality = self._held_out.measure(self._recipe, self._averaged, device)
        log.add(state.step, loss, rate, quality)
        self.quality = log.last_psnr, log.last_ssim
        self._bar.update(
            self._task, completed=state.step, description=f"{self._recipe.name} loss {loss:.4f}"
        )
        if last or stop or state.step % settings.checkpoint_every == 0:
            self._write_weights(state.step)
            save_checkpoint(self._path / CHECKPOINT_FILE, state, self._told)
        if self._curve and (validated or stop):
            draw_curve(self._path / LOG_FILE, self._path / CURVE_FILE, self._recipe.name)

    def _write_weights(self, step: int) -> None:
        loss = self._recipe.loss
        psnr, ssim = self.quality
        training = {
            **self._told,
            "step": step,
            "loss": "L1" if loss is None else loss.name,
            "validation_psnr": psnr,
            "validation_ssim": ssim,
        }
        metadata = {
            **self._recipe.metadata(self._averaged), "training": json.dumps(training)
        }  # fmt: skip
        atomic_write(self._path / WEIGHTS_FILE, tensor_file(self._averaged.state_dict(), metadata))
