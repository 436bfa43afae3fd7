"""Which video trains and which one tests: by the digest of its content, never by scene."""

from collections.abc import Collection, Iterable

SPLIT_RULE = "by video: sorted by SHA-256 of the file, first round(30/110 of all) test, rest train"


def count_for_test(videos: int) -> int:
    """How many of `videos` are for testing: 30 of 110, rounded half up; 1 of 2, none of 1."""
    return (60 * videos + 110) // 220


def place(
    new: Iterable[str], train: Collection[str] = (), test: Collection[str] = ()
) -> dict[str, tuple[str, str]]:
    """Give every new video its split and scene number; videos placed earlier stay where they are.

    Args:
        new: SHA-256 of the videos to place, in any order.
        train: scene numbers in use for training, for example {"0001", "0002"}.
        test: scene numbers in use for testing.

    Returns:
        SHA-256 -> (split, scene number), in the order of the numbers within each split.
    """
    digests = sorted(new)
    total = len(digests) + len(train) + len(test)
    for_test = min(max(count_for_test(total) - len(test), 0), len(digests))
    placed = {}
    for split, members, used in (
        ("train", digests[for_test:], train),
        ("test", digests[:for_test], test),
    ):
        first = max((int(number) for number in used), default=0) + 1
        for number, digest in enumerate(members, first):
            placed[digest] = (split, f"{number:04d}")
    return placed
