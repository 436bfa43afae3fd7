"""Read and decode the next scene in the background while the current one is scored."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from baselines import Bracket
from dmef_bench.dataset import Scene
from dmef_bench.evaluation.predicted_pixels import Pixels


@dataclass(frozen=True)
class LoadedScene:
    """A scene in memory: the bracket on the CPU and the (H, W, 3) ground truth."""

    scene: Scene
    bracket: Bracket
    truth: Pixels


class SceneLoader:
    """Loads one scene ahead, in one thread, and only when told to begin.

    So nothing is decoded while a method is timed: `begin` is called after an inference and `take`
    waits for the end of the loading.
    """

    def __init__(self) -> None:
        """A loader that loads nothing yet."""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="next-scene")
        self._next: Future[LoadedScene] | None = None

    def __enter__(self) -> "SceneLoader":
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def begin(self, scene: Scene) -> None:
        """Start loading `scene`."""
        self._next = self._pool.submit(load_scene, scene)

    def take(self) -> LoadedScene:
        """Wait for the scene begun last.

        Raises:
            IntegrityError: a file of the scene is missing, altered or damaged.
        """
        if self._next is None:
            raise RuntimeError("take() before begin()")
        future, self._next = self._next, None
        return future.result()


def load_scene(scene: Scene) -> LoadedScene:
    """Read and decode a scene.

    Raises:
        IntegrityError: a file of the scene is missing, altered or damaged.
    """
    return LoadedScene(scene, scene.load_bracket(), scene.load_ground_truth())
