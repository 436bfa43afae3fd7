"""What a run does with one scene: infer, time, score, leave its pictures."""

from pathlib import Path

import torch

from baselines import Bracket
from dmef_bench.atomic_write import atomic_write
from dmef_bench.dataset import Scene
from dmef_bench.errors import DmefError
from dmef_bench.evaluation.inference import Prediction, predict, to_device
from dmef_bench.evaluation.light_scorer import suited
from dmef_bench.evaluation.measured_size import check_within_budget
from dmef_bench.evaluation.method_call import MethodCall, MethodFailedError, OutOfMemoryError
from dmef_bench.evaluation.options import RunOptions
from dmef_bench.evaluation.pictures import write_pictures
from dmef_bench.evaluation.precision_error import precision_error
from dmef_bench.evaluation.predicted_pixels import Pixels, encode_pixels, to_pixels
from dmef_bench.evaluation.protocols import Protocol
from dmef_bench.evaluation.run_folder import PREDICTIONS_FOLDER
from dmef_bench.evaluation.samples import failed_sample, picture_folder, scored_sample
from dmef_bench.evaluation.scene_loader import LoadedScene
from dmef_bench.evaluation.scoring import Scorer
from dmef_bench.evaluation.warm_up import measure_cost
from leaderboard.records import CostRecord, SampleRecord

Inferred = tuple[Scene, Pixels, Prediction, Bracket | None]


class SceneWork:
    """A loaded method with its scorer, used on scene after scene of one run in one process.

    Attributes:
        cost: what the call before the first timed scene measured; None before it.
        notes: what a user should know and no figure says, a sentence each.
        out_of_memory: whether the scene inferred last needed more memory than there is.
    """

    def __init__(
        self, call: MethodCall, protocol: Protocol, scorer: Scorer, options: RunOptions, run: Path
    ) -> None:
        """Work that has not begun.

        Args:
            call: the method.
            protocol: how it is fed.
            scorer: scores predictions.
            options: of the run.
            run: the run's folder, which gets the pictures.
        """
        self._call = call
        self._protocol = protocol
        self._scorer = scorer
        self._options = options
        self._run = run
        self.cost: CostRecord | None = None
        self.notes: list[str] = []
        self.out_of_memory = False
        self._fitting: set[tuple[int, int]] = set()

    @property
    def device(self) -> torch.device:
        """Where the method works."""
        return self._call.method.device

    def infer(self, loaded: LoadedScene, *, shown: bool) -> Inferred | SampleRecord:
        """Truth and prediction of a scene, or the line that says why there is no prediction.

        Args:
            loaded: the scene.
            shown: whether it leaves pictures for the leaderboard's page, which need the bracket.
        """
        scene = loaded.scene
        self.out_of_memory = False
        try:
            prediction = self._predict(loaded)
        except OutOfMemoryError as error:
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            self.out_of_memory = True
            return failed_sample(scene, str(error))
        except MethodFailedError as error:
            return failed_sample(scene, f"{self._call.method.info.name} {error}")
        except DmefError as error:
            return failed_sample(scene, str(error))
        return scene, loaded.truth, prediction, loaded.bracket if shown else None

    def _predict(self, loaded: LoadedScene) -> Prediction:
        size = self._protocol.call_size(*loaded.bracket.size)
        if self._options.memory_budget is not None and size not in self._fitting:
            check_within_budget(self._call.method, self._options, size)
            self._fitting.add(size)
        bracket = to_device(loaded.bracket, self.device)
        if self.cost is None:
            cost, note = measure_cost(self._call, self._protocol, bracket)
            if self._options.precision != "float32":
                error = precision_error(self._call, self._protocol, bracket, self._options)
                cost = cost.model_copy(update={"precision_error": error})
            self.cost = cost
            self.notes += [note] if note else []
        return predict(
            self._call,
            self._protocol,
            bracket,
            self._options.repeats,
            to_pixels(loaded.scene),
        )

    def finish(self, inferred: Inferred | SampleRecord) -> SampleRecord:
        """Score what was inferred and leave its pictures; a failure passes through."""
        if isinstance(inferred, SampleRecord):
            return inferred
        scene, truth, prediction, bracket = inferred
        try:
            figures = suited(self._scorer, scene)(prediction.picture, truth)
        except DmefError as error:
            return failed_sample(scene, str(error))
        if bracket is not None:
            write_pictures(picture_folder(self._run, scene), bracket, truth, prediction.picture)
        if self._options.save_predictions:
            suffix, content = encode_pixels(prediction.picture)
            atomic_write(self._run / PREDICTIONS_FOLDER / f"{scene.id}{suffix}", content)
        return scored_sample(scene, prediction.picture, figures, prediction)
