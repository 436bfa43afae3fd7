import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmef_bench.dataset.split import count_for_test, place


def _videos(count, first=0, scenes=1):
    return {f"{number:064x}": scenes for number in range(first, first + count)}


def _numbers(placed, split):
    return {number: digest for (digest, _), (where, number) in placed.items() if where == split}


@pytest.mark.parametrize(
    ("videos", "test"), [(1, 0), (2, 1), (3, 1), (5, 1), (6, 2), (11, 3), (110, 30), (220, 60)]
)
@pytest.mark.parametrize("scenes", [1, 3])
def test_thirty_of_a_hundred_and_ten_are_for_testing(videos, test, scenes):
    placed = place(_videos(videos, scenes=scenes))
    splits = [split for split, _ in placed.values()]
    assert count_for_test(videos) == test
    assert splits.count("test") == test * scenes
    assert len(splits) == videos * scenes


def test_order_of_the_videos_does_not_matter_and_numbers_follow_the_digest():
    videos = _videos(11)
    placed = place(videos)
    assert place(dict(reversed(videos.items()))) == placed
    assert list(_numbers(placed, "test").values()) == list(_videos(3))
    first, fourth, last = (list(videos)[place] for place in (0, 3, 10))
    assert placed[first, 0] == ("test", "0001")
    assert placed[fourth, 0] == ("train", "0001")
    assert placed[last, 0] == ("train", "0008")


def test_the_scenes_of_a_video_follow_each_other_in_one_split():
    a, b, c = _videos(3)
    assert place({c: 1, a: 3, b: 2}) == {
        (b, 0): ("train", "0001"),
        (b, 1): ("train", "0002"),
        (c, 0): ("train", "0003"),
        (a, 0): ("test", "0001"),
        (a, 1): ("test", "0002"),
        (a, 2): ("test", "0003"),
    }


def test_new_videos_hold_the_proportion_beside_what_is_there():
    # One of the five old videos is for testing, and gave four scenes.
    train = {f"{number:04d}": f"old {number}" for number in range(1, 5)}
    test = {f"{number:04d}": "old 5" for number in range(1, 5)}
    placed = place(_videos(105), train, test)
    splits = [split for split, _ in placed.values()]
    assert splits.count("test") == 29
    assert splits.count("train") == 76
    assert {split: min(_numbers(placed, split)) for split in splits} == {
        "train": "0005",
        "test": "0005",
    }


def test_too_many_for_testing_already_means_none_more():
    placed = place(_videos(1), {"0001": "a"}, {"0001": "b", "0002": "c", "0003": "d"})
    assert list(placed.values()) == [("train", "0002")]


def test_more_than_9999_scenes_get_longer_numbers():
    test = {f"{number:04d}": f"b{number}" for number in range(1, 3000)}
    assert list(place(_videos(1), {"9999": "a"}, test).values()) == [("train", "10000")]


@given(
    st.dictionaries(st.integers(0, 2**64), st.integers(1, 4), min_size=1, max_size=40), st.data()
)
def test_adding_videos_in_any_order_moves_no_scene_and_splits_no_video(videos, data):
    old = data.draw(st.sets(st.sampled_from(sorted(videos)), min_size=1))
    scenes = {f"{number:064x}": count for number, count in videos.items()}
    first = {digest: count for digest, count in scenes.items() if int(digest, 16) in old}
    new = [digest for digest in scenes if digest not in first]
    before = place(first)
    used = [_numbers(before, split) for split in ("train", "test")]
    after = place({digest: scenes[digest] for digest in data.draw(st.permutations(new))}, *used)
    assert after == place({digest: scenes[digest] for digest in sorted(new)}, *used)
    assert not set(before.values()) & set(after.values())
    together = before | after
    assert set(together) == {(digest, n) for digest in scenes for n in range(scenes[digest])}
    split_of = {(digest, split) for (digest, _), (split, _) in together.items()}
    assert len(split_of) == len(scenes)
    for split in ("train", "test"):
        numbers = sorted(_numbers(together, split))
        assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]
    for_test = sum(split == "test" for _, split in split_of)
    assert for_test in (count_for_test(len(scenes)), count_for_test(len(first)))
