"""Kept labels stay known by content, class and box; whatever is suspected of them next time."""

from dataclasses import replace
from typing import Any

import pytest

from tasks.artifacts.review import FoundSuspect
from tasks.review.found import found_suspects
from tasks.review.kept import kept_of, not_kept
from tasks.review.suspects import Suspect
from tests.review.scenes import scenes

DATA = scenes(3)
BOX = (10.2, 20.0, 60.0, 80.4)


def a_suspect(kind: Any = "wrong_class", data: Any = DATA, **changes: Any) -> FoundSuspect:
    values = {"class_": "cat", "box": BOX, "seen_class": "dog", "seen_box": BOX, "score": 0.6, **changes}
    label = None if kind == "missing_box" else 0
    (suspect,) = found_suspects(data, [Suspect(kind, 1, label, **values)], 0.0)
    return suspect


def test_an_image_that_was_renamed_stays_known() -> None:
    kept = [kept_of(a_suspect())]
    images = list(DATA.images)
    images[1] = replace(images[1], file_name="elsewhere/new.jpg")
    assert not_kept([a_suspect(data=replace(DATA, images=tuple(images)))], kept) == []


def test_another_content_of_the_same_name_is_shown() -> None:
    images = list(DATA.images)
    images[1] = replace(images[1], sha256="f" * 64)
    suspect = a_suspect(data=replace(DATA, images=tuple(images)))
    assert not_kept([suspect], [kept_of(a_suspect())]) == [suspect]


@pytest.mark.parametrize(
    ("kind", "changes", "is_shown"),
    [
        ("misplaced_box", {}, False),
        ("duplicate_box", {}, False),
        ("wrong_class", {"box": (10.0, 20.4, 60.3, 80.0)}, False),
        ("wrong_class", {"box": (12.0, 20.0, 60.0, 80.0)}, True),
        ("wrong_class", {"class_": "dog"}, True),
        ("missing_box", {}, True),
    ],
)
def test_a_kept_label_is_right_whatever_is_suspected(kind: str, changes: dict[str, Any], is_shown: bool) -> None:
    assert bool(not_kept([a_suspect(kind, **changes)], [kept_of(a_suspect())])) == is_shown


def test_where_nothing_is_missing_a_box_of_the_next_training_is_known() -> None:
    kept = [kept_of(a_suspect("missing_box"))]
    assert not_kept([a_suspect("missing_box", box=(14.0, 18.0, 66.0, 82.0))], kept) == []
    for changes in ({"box": (110.0, 20.0, 160.0, 80.0)}, {"class_": "dog"}):
        assert len(not_kept([a_suspect("missing_box", **changes)], kept)) == 1


@pytest.mark.parametrize(
    ("kind", "changes", "sentence"),
    [
        ("missing_box", {}, "no label, looks like cat"),
        ("wrong_class", {}, "labelled cat, looks like dog"),
        ("wrong_class", {"seen_class": None, "seen_box": None}, "labelled cat, does not look like it"),
        ("misplaced_box", {}, "labelled cat, but its box is off"),
        ("misplaced_box", {"seen_class": None, "seen_box": None}, "labelled cat, but its box does not fit"),
        ("box_on_nothing", {}, "labelled cat, looks like nothing"),
        ("duplicate_box", {}, "labelled cat twice"),
    ],
)
def test_a_sentence_says_what_is_wrong(kind: str, changes: dict[str, Any], sentence: str) -> None:
    assert a_suspect(kind, **changes).sentence == sentence


def test_suspects_below_the_least_score_are_left_out() -> None:
    rows = [Suspect("wrong_class", 0, 0, "cat", BOX, None, None, score) for score in (0.9, 0.5, 0.1)]
    assert [each.score for each in found_suspects(DATA, rows, 0.5)] == [0.9, 0.5]
