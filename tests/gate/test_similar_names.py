"""Rare class names that may be frequent ones misspelt, found among any number of names."""

from itertools import permutations
from random import Random

import pytest
from rapidfuzz.distance import OSA

from tasks.gate.dataset_checks import first_examples, nearest_frequent_names


def pairwise(counts):
    """What `nearest_frequent_names` gives, by comparing each pair of plain lower-case names."""
    ranks: dict[str, list[tuple[int, int, str]]] = {}
    for rare, frequent in permutations(counts, 2):
        distance = OSA.distance(rare, frequent)
        letters = len(frequent) >= 5 or sorted(rare) == sorted(frequent)
        if counts[rare] <= 0.1 * counts[frequent] and distance <= max(1, len(frequent) // 6) and letters:
            ranks.setdefault(rare, []).append((distance, -counts[frequent], frequent))
    return {rare: min(each)[2] for rare, each in ranks.items()}


@pytest.mark.parametrize("length", [3, 5, 12, 18])
def test_the_names_are_those_that_comparing_each_pair_finds(length):
    random = Random(length)  # noqa: S311
    names = {"".join(random.choices("ab" if length < 10 else "a" * 9 + "b", k=length)) for _ in range(700)}
    counts = {name: random.choice((1, 2, 10, 20, 300)) for name in sorted(names)}
    found = nearest_frequent_names(counts)
    assert found == pairwise(counts)
    assert found or length == 3


def test_of_several_frequent_names_the_nearest_counts_then_the_most_frequent():
    assert nearest_frequent_names({"helmett": 1, "helmet": 20, "helmets": 90}) == {"helmett": "helmets"}
    counts = {"abcdefghijkx": 1, "abcdefghijkl": 20, "abcdefghijky": 30, "abcdefghijyy": 199}
    assert nearest_frequent_names(counts) == {"abcdefghijkx": "abcdefghijky"}


def test_without_names_nothing_is_similar():
    assert nearest_frequent_names({}) == {}
    assert first_examples([], "data") == {}
