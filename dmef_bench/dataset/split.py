"""Which video trains and which one tests: by the digest of its content, never by scene."""

from collections.abc import Mapping
from types import MappingProxyType

SPLIT_RULE = "by video: sorted by SHA-256 of the file, first round(30/110 of all) test, rest train"
_NONE: Mapping[str, str] = MappingProxyType({})


def count_for_test(videos: int) -> int:
    """How many of `videos` are for testing: 30 of 110, rounded half up; 1 of 2, none of 1."""
    return (60 * videos + 110) // 220


def place(
    new: Mapping[str, int], train: Mapping[str, str] = _NONE, test: Mapping[str, str] = _NONE
) -> dict[tuple[str, int], tuple[str, str]]:
    """Give every new scene its split and number; scenes placed earlier stay where they are.

    Args:
        new: SHA-256 of the videos to place, in any order -> how many scenes each gives.
        train: scene numbers in use for training -> SHA-256 of their videos.
        test: likewise for testing.

    Returns:
        (SHA-256, place of the scene among those of its video, from 0) -> (split, scene number),
        in the order of the numbers within each split.
    """
    digests = sorted(new)
    videos_for_test = len(set(test.values()))
    total = len(digests) + len(set(train.values())) + videos_for_test
    for_test = min(max(count_for_test(total) - videos_for_test, 0), len(digests))
    placed = {}
    for split, members, used in (
        ("train", digests[for_test:], train),
        ("test", digests[:for_test], test),
    ):
        first = max((int(number) for number in used), default=0) + 1
        scenes = [(digest, scene) for digest in members for scene in range(new[digest])]
        for number, scene in enumerate(scenes, first):
            placed[scene] = (split, f"{number:04d}")
    return placed
