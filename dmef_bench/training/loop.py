"""The training loop: deterministic, killed and resumed at will, stopped by a loss that is NaN."""

import contextlib
import copy
import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from baselines import Bracket
from dmef_bench import __version__
from dmef_bench.errors import UsageError
from dmef_bench.evaluation.freed_memory import keep_freed_memory
from dmef_bench.training.brackets import bracket_of
from dmef_bench.training.checkpoint import TrainingState, load_checkpoint
from dmef_bench.training.device_memory import told_when_full
from dmef_bench.training.feed import batches_from
from dmef_bench.training.ranks import ALONE, Ranks
from dmef_bench.training.recipes import Recipe
from dmef_bench.training.run_folder import CHECKPOINT_FILE, WEIGHTS_FILE, RunFolder, forget
from dmef_bench.training.samples import BatchSource, Source
from dmef_bench.training.schedule import learning_rate, update_average
from dmef_bench.training.settings import TrainSettings
from dmef_bench.training.step import make_optimiser, take_step
from dmef_bench.training.validation import as_float


@dataclass(frozen=True)
class TrainReport:
    """How a run stands when the loop returns.

    Attributes:
        step: steps done; less than asked where the time was up.
        finished: whether all steps are done.
        psnr: mean of the last validation in dB, None before the first.
        weights: the averaged weights, in the form the method loads.
        ssim: mean of the last validation, None before the first.
    """

    step: int
    finished: bool
    psnr: float | None
    weights: Path
    ssim: float | None = None


def train(
    recipe: Recipe,
    source: Source | BatchSource,
    settings: TrainSettings,
    output: Path,
    *,
    device: torch.device,
    workers: int = 0,
    minutes: float | None = None,
    quiet: bool = False,
    curve: bool = False,
    ranks: Ranks = ALONE,
    overwrite: bool = False,
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
        curve: draw the log as `log.png` at every validation.
        ranks: the processes that train together, each of which calls this.
        overwrite: begin anew; what `output` holds is removed once the network could be made.

    Raises:
        DivergedError: NaN or infinite loss or gradient; the last checkpoint stays as it is.
        UsageError: `output` holds a run with other settings.
        IntegrityError: its checkpoint is damaged.
        MissingError: the disk is full or can't be written.
        DeviceFullError: the device's memory is full.
        OtherProcessError: another process failed.
    """
    started = time.monotonic()
    if device.type == "cpu":
        keep_freed_memory()
    else:
        # As torch has it; what was evaluated in this process before switched it off.
        torch.backends.cudnn.allow_tf32 = True
    checkpoint = output / CHECKPOINT_FILE
    with ranks.together():
        slots = ranks.share(settings.batch)
        told = _told(recipe, source, settings)
        with told_when_full(device, "the network"):
            state, averaged = _fresh_state(recipe, settings, device)
        if not overwrite and checkpoint.exists():
            load_checkpoint(checkpoint, state, told)
    if not ranks.same(state.step):
        raise UsageError(
            f"{output} is not the same folder for all processes; put it on a shared disk"
        )
    batches = batches_from(source, settings, state.step, slots, workers, device)

    def prepared() -> tuple[Bracket, Tensor]:
        batch = next(batches)
        return bracket_of(batch, source, device), as_float(batch.target, device)

    folder = RunFolder(output, recipe, settings, averaged, told, source.track, curve=curve)
    with contextlib.ExitStack() as opened:
        with ranks.together():
            if ranks.first:
                if overwrite:
                    forget(output)
                opened.enter_context(folder.opened(state.step, quiet=quiet))
        while state.step < settings.steps:
            rate = learning_rate(state.step, settings)
            loss = take_step(recipe, state, settings, prepared, rate, ranks, checkpoint)
            update_average(state.average, state.network, state.step, settings.average_decay)
            time_is_up = minutes is not None and time.monotonic() - started > 60 * minutes
            stop = ranks.any(time_is_up) if minutes is not None else False
            with ranks.together():  # what the first one writes is there when any process goes on
                if ranks.first:
                    folder.write(state, loss, rate, device, stop=stop)
            if stop:
                break
    finished = state.step == settings.steps
    psnr, ssim = folder.quality
    return TrainReport(state.step, finished, psnr, output / WEIGHTS_FILE, ssim)


def _told(recipe: Recipe, source: Source | BatchSource, settings: TrainSettings) -> dict[str, Any]:
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
    scaler = torch.amp.GradScaler(device.type, enabled=settings.precision == "float16")
    # The state dict shares its memory with the averaged network: moving one moves the other.
    average = dict(averaged.state_dict())
    return TrainingState(network, average, make_optimiser(network, settings), scaler), averaged
