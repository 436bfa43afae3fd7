import pytest

from dmef_bench.dataset.split import count_for_test, place


def _digests(count, first=0):
    return [f"{number:064x}" for number in range(first, first + count)]


@pytest.mark.parametrize(
    ("videos", "test"), [(1, 0), (2, 1), (3, 1), (5, 1), (6, 2), (11, 3), (110, 30), (220, 60)]
)
def test_thirty_of_a_hundred_and_ten_are_for_testing(videos, test):
    placed = place(_digests(videos))
    splits = [split for split, _ in placed.values()]
    assert splits.count("test") == count_for_test(videos) == test
    assert len(splits) == videos


def test_order_of_the_videos_does_not_matter_and_numbers_follow_the_digest():
    placed = place(_digests(11))
    assert place(reversed(_digests(11))) == placed
    assert [digest for digest, (split, _) in sorted(placed.items()) if split == "test"] == _digests(
        3
    )
    assert placed[_digests(1)[0]] == ("test", "0001")
    assert placed[_digests(1, 3)[0]] == ("train", "0001")
    assert placed[_digests(1, 10)[0]] == ("train", "0008")


def test_new_videos_hold_the_proportion_beside_what_is_there():
    placed = place(_digests(105), train=["0001", "0002", "0003", "0004"], test=["0001"])
    splits = [split for split, _ in placed.values()]
    assert splits.count("test") == 29
    assert splits.count("train") == 76
    numbers = {split: min(n for s, n in placed.values() if s == split) for split in splits}
    assert numbers == {"train": "0005", "test": "0002"}


def test_too_many_for_testing_already_means_none_more():
    placed = place(_digests(1), train=["0001"], test=["0001", "0002", "0003"])
    assert list(placed.values()) == [("train", "0002")]


def test_more_than_9999_scenes_get_longer_numbers():
    assert place(_digests(1), train=["9999"], test=[f"{n:04d}" for n in range(1, 3000)]) == {
        _digests(1)[0]: ("train", "10000")
    }
