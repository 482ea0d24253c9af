"""The choice on planted clusters: unlike before alike, unsure before sure, never two of a kind, the same each time."""

from collections.abc import Iterable

import numpy as np
import pytest

from tasks.selection.choosing import Choice, Floats, Vectors, choose, nearest


def cluster(axis: int, count: int, seed: int, spread: float = 0.05) -> Vectors:
    """Vectors of unit length near one of 16 axes."""
    vectors = np.random.default_rng(seed).normal(0.0, spread, (count, 16))
    vectors[:, axis] += 1.0
    unit: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


LABELLED = np.concatenate([cluster(0, 10, seed=1), cluster(1, 10, seed=2)])
# Two clusters like the labelled ones, then three that nobody has labelled.
CANDIDATES = np.concatenate([cluster(axis, 10, seed=10 + axis) for axis in range(5)])
UNSURE = np.random.default_rng(3).random(50)


def chosen(
    count: int,
    *,
    uncertainty: Floats = UNSURE,
    share: float = 0.0,
    seed: int = 1,
    similar: Iterable[tuple[int, int]] = (),
) -> list[Choice]:
    distances = nearest(CANDIDATES, LABELLED).distances
    return choose(distances, CANDIDATES, uncertainty, count=count, random_share=share, seed=seed, similar=similar)


def places(choices: list[Choice]) -> list[int]:
    return [choice.place for choice in choices]


def test_each_unseen_cluster_is_covered_before_any_other_photo() -> None:
    assert sorted(place // 10 for place in places(chosen(3))) == [2, 3, 4]


def test_unseen_clusters_come_first_even_where_the_model_is_sure_of_them() -> None:
    sure = np.where(np.arange(50) >= 20, 0.0, UNSURE)
    assert sorted(place // 10 for place in places(chosen(3, uncertainty=sure))) == [2, 3, 4]


def test_within_a_cluster_the_unsure_come_first() -> None:
    unsure = UNSURE.copy()
    unsure[[23, 37, 41]] = 9.0
    assert sorted(places(chosen(3, uncertainty=unsure))) == [23, 37, 41]


def test_where_photos_are_alike_the_unsurest_comes_first() -> None:
    same = np.repeat(cluster(2, 1, seed=5), 6, axis=0)
    unsure = np.array([0.1, 0.5, 0.9, 0.2, 0.9, 0.3])
    (first,) = choose(nearest(same, LABELLED).distances, same, unsure, count=1, random_share=0.0, seed=1)
    assert first == Choice(2, "unsure")


def test_a_photo_that_stands_out_by_what_it_shows_is_called_unlike() -> None:
    alone = np.concatenate([cluster(0, 9, seed=6), cluster(7, 1, seed=7)])
    sure_of_it = np.array([*np.linspace(0.5, 1.0, 9), 0.1])
    (first,) = choose(nearest(alone, LABELLED).distances, alone, sure_of_it, count=1, random_share=0.0, seed=1)
    assert first == Choice(9, "unlike")


def test_of_similar_photos_only_one_is_chosen() -> None:
    pairs = [(2 * number, 2 * number + 1) for number in range(25)]
    for share in (0.0, 0.5, 1.0):
        taken = places(chosen(50, share=share, similar=pairs))
        assert len(taken) == len({place // 2 for place in taken}) == 25


@pytest.mark.parametrize(
    ("count", "share", "random"), [(20, 0.2, 4), (20, 0.0, 0), (20, 1.0, 20), (3, 0.2, 1), (2, 0.2, 0)]
)
def test_the_random_share_has_the_size_that_was_asked_for(count: int, share: float, random: int) -> None:
    choices = chosen(count, share=share)
    assert len(choices) == count
    assert [choice.reason for choice in choices].count("random") == random


def test_of_the_first_photos_the_same_share_is_random_as_of_all() -> None:
    at = [rank for rank, choice in enumerate(chosen(20, share=0.2), start=1) if choice.reason == "random"]
    assert at == [5, 10, 15, 20]


def test_what_is_random_does_not_depend_on_the_uncertainty() -> None:
    def random(uncertainty: Floats) -> list[int]:
        return [each.place for each in chosen(20, uncertainty=uncertainty, share=0.2) if each.reason == "random"]

    assert random(UNSURE) == random(UNSURE[::-1].copy())


def test_the_same_seed_gives_the_same_choice_and_another_one_other_random_photos() -> None:
    assert chosen(20, share=0.2) == chosen(20, share=0.2)
    assert chosen(20, share=0.2) != chosen(20, share=0.2, seed=2)
    assert chosen(20) == chosen(20, seed=2)


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_of_too_few_candidates_all_are_given_once(share: float) -> None:
    assert sorted(places(chosen(80, share=share))) == list(range(50))


def test_no_candidates_give_no_choice() -> None:
    nothing = np.zeros((0, 16), np.float32)
    assert choose(np.zeros(0), nothing, np.zeros(0), count=5, random_share=0.2, seed=1) == []


def test_the_nearest_labelled_photo_is_found_whatever_the_number_of_candidates() -> None:
    many = np.concatenate([LABELLED] * 120)
    found = nearest(many, LABELLED)
    assert found.places.tolist() == list(range(20)) * 120
    np.testing.assert_allclose(found.distances, 0.0, atol=1e-3)
    opposite = nearest(-LABELLED[:1], LABELLED[:1])
    assert opposite.distances[0] == pytest.approx(2.0, abs=1e-6)


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 50 of each, got 50 and 49"):
        chosen(5, uncertainty=UNSURE[:49])
