"""Refuse scenes that look like another one of the dataset, whoever filmed or re-encoded them."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from dmef_bench.dataset.manifest import Manifest
from dmef_bench.dataset.markers import MadeScene, MadeVideo
from dmef_bench.dataset.records import RejectionRecord, SceneRecord

# Of the bits of two perceptual hashes, at most so many differ. docs/video.md says what other
# scenes and what copies of the same scene were measured to differ by.
ALIKE: Final = 10
HASH_BITS: Final = 64


def refuse_near_duplicates(
    made: Mapping[str, MadeVideo], names: Mapping[str, str], base: Manifest | None
) -> tuple[dict[str, MadeVideo], list[RejectionRecord]]:
    """Of scenes that look alike, keep the first one.

    Scenes of `base` come before all others, which follow in the order of their videos' digests and
    of time: which one is kept depends on nothing but what is there.

    Args:
        made: new scenes by their video's digest.
        names: of the videos, by digest.
        base: the dataset that is extended.

    Returns:
        The videos and scenes that are kept, and a rejection for each scene that is not.
    """
    kept = _Kept()
    for old in () if base is None else (scene for split in base.scenes.values() for scene in split):
        if old.gt_phash is not None:
            kept.add(old)
    remaining, rejections = {}, []
    for digest in sorted(made):
        scenes: list[MadeScene] = []
        for scene in made[digest].scenes:
            record = _called(scene.scene, names[digest])
            like = kept.nearest(record)
            if like is None or like[1] > ALIKE:
                kept.add(record)
                scenes.append(scene)
            else:
                rejections.append(_rejection(record, *like))
        if scenes:
            remaining[digest] = MadeVideo(scenes=tuple(scenes))
    return remaining, rejections


class _Kept:
    """Scenes with their hashes, of which the nearest is found at once."""

    def __init__(self) -> None:
        self._scenes: list[SceneRecord] = []
        self._hashes = np.zeros(64, np.uint64)

    def add(self, scene: SceneRecord) -> None:
        if len(self._scenes) == len(self._hashes):
            self._hashes = np.concatenate([self._hashes, np.zeros_like(self._hashes)])
        self._hashes[len(self._scenes)] = _bits(scene)
        self._scenes.append(scene)

    def nearest(self, scene: SceneRecord) -> tuple[SceneRecord, int] | None:
        """The first of those in whose hash the fewest bits differ, and how many these are."""
        if not self._scenes:
            return None
        differing = np.bitwise_count(self._hashes[: len(self._scenes)] ^ _bits(scene))
        place = int(differing.argmin())
        return self._scenes[place], int(differing[place])


def _bits(scene: SceneRecord) -> np.uint64:
    return np.uint64(int(scene.gt_phash or "0", 16))


def _called(scene: SceneRecord, name: str) -> SceneRecord:
    return scene.model_copy(update={"source": scene.source.model_copy(update={"name": name})})


def _rejection(scene: SceneRecord, like: SceneRecord, differing: int) -> RejectionRecord:
    return RejectionRecord(
        name=scene.source.name,
        sha256=scene.source.sha256,
        code="near-duplicate",
        reason=(
            f"its scene at {scene.presentation_times[1]:.2f} s looks like that of "
            f"{like.source.name} at {like.presentation_times[1]:.2f} s: {differing} of "
            f"{HASH_BITS} bits of their perceptual hashes differ, more than {ALIKE} are needed "
            "(--near-duplicates)"
        ),
    )
