"""The training loop: deterministic, killed and resumed at will, stopped by a loss that is NaN."""

import copy
import dataclasses
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from baselines import Bracket
from dmef_bench import __version__
from dmef_bench.atomic_write import atomic_write
from dmef_bench.errors import DmefError
from dmef_bench.progress import progress_bar
from dmef_bench.training.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from dmef_bench.training.log import TrainingLog
from dmef_bench.training.recipes import Recipe
from dmef_bench.training.samples import Batches, Source, known_response
from dmef_bench.training.schedule import learning_rate, update_average
from dmef_bench.training.tensor_file import tensor_file
from dmef_bench.training.validation import HeldOutScenes, as_float

CHECKPOINT_FILE = "checkpoint.safetensors"
LOG_FILE = "log.csv"
WEIGHTS_FILE = "weights.safetensors"


class DivergedError(DmefError):
    """The loss or its gradient is no longer a finite number (exit code 1)."""

    exit_code = 1


@dataclass(frozen=True)
class TrainSettings:
    """What decides the outcome of a run, together with its data; stored in every checkpoint.

    Attributes:
        steps: optimiser steps of the whole run; the learning rate follows them.
        batch: samples a step.
        seed: of the initial weights and of the data.
        learning_rate: peak of AdamW's rate.
        warm_up: steps until the peak.
        average_decay: of the moving average whose weights are kept.
        gradient_norm: gradients are scaled down to at most this norm.
        options: `--set` options of the method.
        checkpoint_every, validate_every: in steps.
        validation_scenes, validation_side: held-out scenes and their side in pixels.
    """

    steps: int
    batch: int = 4
    seed: int = 0
    learning_rate: float = 2e-4
    warm_up: int = 50
    average_decay: float = 0.999
    gradient_norm: float = 1.0
    options: dict[str, str] = dataclasses.field(default_factory=dict)
    checkpoint_every: int = 100
    validate_every: int = 500
    validation_scenes: int = 8
    validation_side: int = 384


@dataclass(frozen=True)
class TrainReport:
    """How a run stands when the loop returns.

    Attributes:
        step: steps done; less than asked where the time was up.
        finished: whether all steps are done.
        psnr: last validation in dB, None before the first.
        weights: the averaged weights, in the form the method loads.
    """

    step: int
    finished: bool
    psnr: float | None
    weights: Path


def train(
    recipe: Recipe,
    source: Source,
    settings: TrainSettings,
    output: Path,
    *,
    device: torch.device,
    workers: int = 0,
    minutes: float | None = None,
    quiet: bool = False,
) -> TrainReport:
    """Train a network, or go on where an earlier call with the same settings stopped.

    `output` holds the checkpoint, `log.csv` and the averaged weights. On the CPU with the same
    number of threads a resumed run computes the same bits as an undisturbed one, with any number
    of workers.

    Args:
        recipe: the method.
        source: the data.
        settings: all that decides the outcome.
        output: folder, made if missing.
        device: where the network runs.
        workers: processes that prepare data; 0 prepares it in this one.
        minutes: stop with a checkpoint after this time; the same call goes on from there.
        quiet: no progress bar.

    Raises:
        DivergedError: NaN or infinite loss or gradient; the last checkpoint stays as it is.
        UsageError: `output` holds a run with other settings.
        IntegrityError: its checkpoint is damaged.
        MissingError: the disk is full or can't be written.
    """
    started = time.monotonic()
    told = _told(recipe, source, settings)
    state, averaged = _fresh_state(recipe, settings, device)
    checkpoint, weights = output / CHECKPOINT_FILE, output / WEIGHTS_FILE
    if checkpoint.exists():
        load_checkpoint(checkpoint, state, told)
    held_out = HeldOutScenes(
        settings.validation_scenes,
        settings.validation_side,
        "camera" if source.track == "camera" else "paper",
    )
    batches = iter(_loader(source, settings, state.step, workers, device))
    with TrainingLog(output / LOG_FILE, state.step) as log, progress_bar(quiet=quiet) as bar:
        task = bar.add_task(recipe.name, total=settings.steps, completed=state.step)
        for images, target in batches:
            rate = learning_rate(
                state.step, settings.steps, settings.learning_rate, settings.warm_up
            )
            bracket = Bracket(as_float(images, device), source.evs, known_response(source))
            loss = _step(recipe, state, settings, bracket, as_float(target, device), rate, output)
            update_average(state.average, state.network, state.step, settings.average_decay)
            last = state.step == settings.steps
            validated = last or state.step % settings.validate_every == 0
            psnr = held_out.psnr(recipe, averaged, device) if validated else None
            log.add(state.step, loss, rate, psnr)
            bar.update(task, completed=state.step, description=f"{recipe.name} loss {loss:.4f}")
            time_is_up = minutes is not None and time.monotonic() - started > 60 * minutes
            if last or time_is_up or state.step % settings.checkpoint_every == 0:
                _write_weights(weights, recipe, averaged, state.step, log.last_psnr, told)
                save_checkpoint(checkpoint, state, told)
            if time_is_up:
                break
        return TrainReport(state.step, state.step == settings.steps, log.last_psnr, weights)


def _told(recipe: Recipe, source: Source, settings: TrainSettings) -> dict[str, Any]:
    return {
        "method": recipe.name,
        **recipe.facts,
        "data": source.description(),
        **dataclasses.asdict(settings),
        "package_version": __version__,
    }


def _fresh_state(
    recipe: Recipe, settings: TrainSettings, device: torch.device
) -> tuple[TrainingState, nn.Module]:
    torch.manual_seed(settings.seed)
    network = recipe.build(settings.options).to(device)
    averaged = copy.deepcopy(network).requires_grad_(False)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate)
    # The state dict shares its memory with the averaged network: moving one moves the other.
    return TrainingState(network, dict(averaged.state_dict()), optimiser), averaged


def _loader(
    source: Source, settings: TrainSettings, done: int, workers: int, device: torch.device
) -> DataLoader[tuple[Tensor, Tensor]]:
    return DataLoader(
        Batches(source, settings.seed, settings.batch, settings.steps),
        batch_size=None,
        sampler=range(done, settings.steps),
        num_workers=workers,
        worker_init_fn=_one_thread,
        pin_memory=device.type == "cuda",
    )


def _one_thread(worker: int) -> None:
    """Workers are processes already; OpenCV's threads would only fight over the cores."""
    cv2.setNumThreads(0)


def _step(
    recipe: Recipe,
    state: TrainingState,
    settings: TrainSettings,
    bracket: Bracket,
    target: Tensor,
    rate: float,
    output: Path,
) -> float:
    """One optimiser step; returns its loss."""
    # A network with dropout draws the same numbers whether or not the run was resumed here.
    words = np.random.SeedSequence(settings.seed, spawn_key=(state.step,)).generate_state(1)
    torch.manual_seed(int(words[0]))
    state.network.train()
    for group in state.optimiser.param_groups:
        group["lr"] = rate
    state.optimiser.zero_grad(set_to_none=True)
    if recipe.loss is None:
        loss = (recipe.predict(state.network, bracket) - target).abs().mean()
    else:
        loss = recipe.loss.of(state.network, bracket, target, state.step / settings.steps)
    loss.backward()  # type: ignore[no-untyped-call]
    norm = nn.utils.clip_grad_norm_(state.network.parameters(), settings.gradient_norm)
    if not bool(torch.isfinite(loss) & torch.isfinite(norm)):
        raise DivergedError(_diverged(state.step + 1, loss.item(), norm.item(), rate, output))
    state.optimiser.step()
    state.step += 1
    return loss.item()


def _diverged(step: int, loss: float, norm: float, rate: float, output: Path) -> str:
    checkpoint = output / CHECKPOINT_FILE
    kept = f"{checkpoint} is kept" if checkpoint.exists() else "no checkpoint was written yet"
    return (
        f"step {step}: the loss is {loss} and its gradient's norm {norm} at learning rate "
        f"{rate:.1e}, so the training stopped; {kept}. Train into another folder with a lower "
        "--learning-rate."
    )


def _write_weights(
    path: Path,
    recipe: Recipe,
    averaged: nn.Module,
    step: int,
    psnr: float | None,
    told: dict[str, Any],
) -> None:
    training = {
        **told,
        "step": step,
        "loss": "L1" if recipe.loss is None else recipe.loss.name,
        "optimiser": "AdamW",
        "validation_psnr": psnr,
    }
    metadata = {**recipe.metadata(averaged), "training": json.dumps(training)}
    atomic_write(path, tensor_file(averaged.state_dict(), metadata))
