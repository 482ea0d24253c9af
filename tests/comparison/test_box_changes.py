"""What became of the boxes of one image, in cases small enough to check by hand."""

from dataclasses import replace

import numpy as np
import pytest

from tasks.comparison import box_changes as module
from tasks.comparison.box_changes import box_changes
from tasks.dataset.dataset import AnnotatedImage
from tests.comparison.planted import image

Named = tuple[str, float, float, float, float]
A: Named = ("key", 10, 10, 50, 50)
AS_MUG: Named = ("mug", 10, 10, 50, 50)


def described_changes(before: AnnotatedImage, after: AnnotatedImage) -> list[tuple[object, ...]]:
    return [
        (*change.kinds, *((box.class_, *box.corners) if box else None for box in (change.before, change.after)))
        for change in box_changes(before, after)
    ]


def changes(before: list[Named], after: list[Named]) -> list[tuple[object, ...]]:
    return described_changes(image("a.jpg", *before), image("a.jpg", *after))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param([], [], [], id="no boxes"),
        pytest.param([A], [A], [], id="nothing changed"),
        pytest.param([A, AS_MUG], [AS_MUG, A], [], id="another order"),
        pytest.param([], [A], [("added", None, A)], id="the first box"),
        pytest.param([A], [], [("removed", A, None)], id="the last box"),
        pytest.param([A, A], [A], [("removed", A, None)], id="one of two equal boxes removed"),
        pytest.param([A], [A, A], [("added", None, A)], id="a second equal box"),
        pytest.param([A, A], [A, AS_MUG], [("renamed", A, AS_MUG)], id="one of two equal boxes renamed"),
        pytest.param([A, AS_MUG], [AS_MUG, AS_MUG], [("renamed", A, AS_MUG)], id="beside an equal box of that class"),
        pytest.param([A], [AS_MUG], [("renamed", A, AS_MUG)], id="renamed"),
        pytest.param([A], [("mug", 12, 10, 50, 50)], [("renamed", A, ("mug", 12, 10, 50, 50))], id="renamed and moved"),
        pytest.param([A], [("key", 15, 10, 55, 50)], [("moved", A, ("key", 15, 10, 55, 50))], id="moved"),
        pytest.param([A], [("key", 29, 29, 69, 69)], [("moved", A, ("key", 29, 29, 69, 69))], id="by less than half"),
        pytest.param(
            [A],
            [("key", 32, 32, 72, 72)],
            [("removed", A, None), ("added", None, ("key", 32, 32, 72, 72))],
            id="by more than half is another box",
        ),
        pytest.param(
            [A],
            [("mug", 29, 29, 69, 69)],
            [("removed", A, None), ("added", None, ("mug", 29, 29, 69, 69))],
            id="another class at another place",
        ),
        pytest.param(
            [A],
            [("key", 25, 25, 65, 65), ("mug", 11, 10, 50, 50)],
            [("renamed", A, ("mug", 11, 10, 50, 50)), ("added", None, ("key", 25, 25, 65, 65))],
            id="a new neighbour does not take a renamed box's place",
        ),
        pytest.param([("key", 5, 5, 5, 5)], [("key", 5, 5, 5, 5)], [], id="zero area"),
    ],
)
def test_each_box_is_paired_with_what_it_became(
    before: list[Named], after: list[Named], expected: list[tuple[object, ...]]
) -> None:
    assert changes(before, after) == expected


def test_a_row_of_boxes_that_all_move_stays_paired() -> None:
    # The best single overlap is of the second before with the first after; taken first, it would leave two alone.
    row: list[Named] = [("key", 0, 0, 40, 40), ("key", 20, 0, 60, 40)]
    moved: list[Named] = [("key", 14, 0, 54, 40), ("key", 34, 0, 74, 40)]
    assert changes(row, moved) == [("moved", row[0], moved[0]), ("moved", row[1], moved[1])]


def test_a_flag_that_changed_is_found_also_where_the_box_moved() -> None:
    before, after = image("a.jpg", A), image("a.jpg", A)
    crowd = replace(after, iscrowd=np.array([True]))
    assert described_changes(before, crowd) == [("flags", A, A)]
    moved = replace(crowd, boxes=crowd.boxes + 1.0)
    assert described_changes(before, moved) == [("moved", "flags", A, ("key", 11, 11, 51, 51))]
    # Of two equal boxes the one with the flag is the one that went.
    two = replace(image("a.jpg", A, A), difficult=np.array([False, True]))
    (change,) = box_changes(two, before)
    assert change.before is not None
    assert change.before.difficult


def test_boxes_that_were_scaled_with_their_image_have_not_moved() -> None:
    before = image("a.jpg", ("key", 10, 10, 51, 50), ("mug", 100, 100, 200, 200))
    half = replace(image("a.jpg", ("key", 5, 5, 26, 25), ("mug", 60, 50, 110, 100)), width=200, height=200)
    assert described_changes(before, half) == [("moved", ("mug", 50, 50, 100, 100), ("mug", 60, 50, 110, 100))]
    without_size = replace(half, width=0, height=0)
    assert {row[0] for row in described_changes(before, without_size)} == {"removed", "added"}


def test_boxes_that_are_not_finite_are_compared() -> None:
    before = image("a.jpg", ("key", 0, 0, float("inf"), 5))
    after = image("a.jpg", ("key", 0, 0, 5, 5))
    assert [row[0] for row in described_changes(before, after)] == ["removed", "added"]
    assert described_changes(before, before) == []


def test_an_image_with_too_many_changed_boxes_has_them_removed_and_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_OVERLAPS", 3)
    row: list[Named] = [("key", 0, 0, 40, 40), ("key", 100, 0, 140, 40)]
    moved: list[Named] = [("key", 1, 0, 41, 40), ("key", 101, 0, 141, 40)]
    assert [change[0] for change in changes(row, moved)] == ["removed", "removed", "added", "added"]
    assert [change[0] for change in changes(row[:1], moved[:1])] == ["moved"]
