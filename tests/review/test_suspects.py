"""Planted mistakes are the first suspects, of their kind; where there is nothing to learn from, nothing breaks."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.dataset.detections import Detections
from tasks.review.suspects import Suspect, find_suspects
from tests.review.scenes import detections, relabelled, scenes, with_image

PLACE = 7


def without_first(image: AnnotatedImage) -> AnnotatedImage:
    return image.keep(np.array([False, True]))


def other_class(image: AnnotatedImage) -> AnnotatedImage:
    return relabelled(image, image.boxes, ({"cat": "dog", "dog": "cat"}[image.classes[0]], image.classes[1]))


def moved(image: AnnotatedImage) -> AnnotatedImage:
    return relabelled(image, np.add(image.boxes, [[35.0] * 4, [0.0] * 4]), image.classes)


def on_nothing(image: AnnotatedImage) -> AnnotatedImage:
    return relabelled(image, [*image.boxes, [150, 320, 240, 395]], (*image.classes, "cat"))


def twice(image: AnnotatedImage) -> AnnotatedImage:
    return relabelled(image, [*image.boxes, image.boxes[0]], (*image.classes, image.classes[0]))


def found_in(truth: Dataset, labels: Dataset) -> list[Suspect]:
    return find_suspects(labels, detections(truth))


@pytest.mark.parametrize(
    ("kind", "mistake", "label"),
    [
        ("missing_box", without_first, None),
        ("wrong_class", other_class, 0),
        ("misplaced_box", moved, 0),
        ("box_on_nothing", on_nothing, 2),
        ("duplicate_box", twice, 2),
    ],
)
def test_a_planted_mistake_is_the_first_suspect(
    kind: str, mistake: Callable[[AnnotatedImage], AnnotatedImage], label: int | None
) -> None:
    truth = scenes(60)
    first, second = found_in(truth, with_image(truth, PLACE, mistake(truth.images[PLACE])))[:2]
    assert (first.kind, first.image, first.label) == (kind, PLACE, label)
    assert first.score > 1.5 * second.score


def test_a_label_that_fills_a_crowd_is_no_second_one() -> None:
    truth = scenes(60)
    image = twice(truth.images[PLACE])
    for crowd in (0, 2):
        filled = replace(image, iscrowd=flags(3, (place == crowd for place in range(3))))
        assert "duplicate_box" not in {each.kind for each in found_in(truth, with_image(truth, PLACE, filled))}


def test_what_is_seen_instead_is_named() -> None:
    truth = scenes(60)
    image = truth.images[PLACE]
    first = found_in(truth, with_image(truth, PLACE, other_class(image)))[0]
    assert (first.class_, first.seen_class) == (other_class(image).classes[0], image.classes[0])
    first = found_in(truth, with_image(truth, PLACE, moved(image)))[0]
    assert first.seen_box is not None
    np.testing.assert_allclose(first.seen_box, image.boxes[0], atol=20)
    first = found_in(truth, with_image(truth, PLACE, on_nothing(image)))[0]
    assert (first.seen_class, first.seen_box) == (None, None)


def test_an_exact_duplicate_is_certain_and_only_the_later_label_is_named() -> None:
    truth = scenes(20)
    suspects = found_in(truth, with_image(truth, PLACE, twice(truth.images[PLACE])))
    duplicates = [each for each in suspects if each.kind == "duplicate_box"]
    assert [(each.image, each.label, each.score) for each in duplicates] == [(PLACE, 2, 1.0)]
    assert duplicates[0].seen_box == duplicates[0].box


def test_labels_of_two_classes_in_one_place_are_no_duplicates() -> None:
    truth = scenes(20)
    image = truth.images[PLACE]
    labels = relabelled(
        image, [*image.boxes, image.boxes[0]], (*image.classes, "cat" if image.classes[0] == "dog" else "dog")
    )
    assert not [each for each in found_in(truth, with_image(truth, PLACE, labels)) if each.kind == "duplicate_box"]


def test_labels_without_a_mistake_have_low_scores() -> None:
    truth = scenes(60)
    suspects = found_in(truth, truth)
    assert len(suspects) >= 120
    assert suspects == sorted(suspects, key=lambda each: -each.score)
    assert suspects[0].score < 0.5


def test_a_single_class_has_no_wrong_class() -> None:
    truth = scenes(40, classes=("gun",))
    labels = with_image(truth, PLACE, moved(truth.images[PLACE]))
    suspects = found_in(truth, labels)
    assert (suspects[0].kind, suspects[0].image) == ("misplaced_box", PLACE)
    assert "wrong_class" not in {each.kind for each in suspects}


def test_without_labels_nothing_is_suspect() -> None:
    truth = scenes(5)
    empty = replace(truth, images=tuple(relabelled(image, [], ()) for image in truth.images))
    assert find_suspects(empty, detections(truth)) == []
    assert find_suspects(replace(truth, images=()), []) == []


def test_without_detections_no_label_stands_out() -> None:
    truth = scenes(5)
    none = Detections(np.zeros((0, 4)), (), np.zeros(0))
    suspects = find_suspects(truth, [none] * 5)
    assert len(suspects) == 10
    # They differ in size alone.
    assert suspects[0].score == pytest.approx(suspects[-1].score, abs=0.01)
    assert suspects[0].score < 0.5


def test_labels_with_a_flag_are_no_suspects_and_a_crowd_stands_for_all_in_it() -> None:
    truth = scenes(40)
    image = on_nothing(truth.images[PLACE])
    hard = replace(image, difficult=flags(3, [False, False, True]))
    assert not [
        each for each in found_in(truth, with_image(truth, PLACE, hard)) if (each.image, each.label) == (PLACE, 2)
    ]
    whole = relabelled(image, [[0, 0, 400, 400]], ("cat",))
    crowd = replace(whole, iscrowd=flags(1, [True]))
    suspects = found_in(truth, with_image(truth, PLACE, crowd))
    assert not [each for each in suspects if each.image == PLACE]
    suspects = found_in(truth, with_image(truth, PLACE, whole))
    assert [each for each in suspects if (each.image, each.kind) == (PLACE, "missing_box")]


def test_most_of_many_planted_mistakes_are_found() -> None:
    truth = scenes(150)
    labels = truth
    mistakes = [without_first, other_class, moved, on_nothing, twice]
    for number in range(15):
        labels = with_image(labels, 10 * number, mistakes[number % 5](truth.images[10 * number]))
    first = find_suspects(labels, detections(truth))[:15]
    assert sum(each.image % 10 == 0 for each in first) >= 13
