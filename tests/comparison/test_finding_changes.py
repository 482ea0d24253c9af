"""Findings of the gate that came or went."""

from dataclasses import replace

from tasks.comparison.finding_changes import Findings, finding_changes
from tasks.dataset.dataset import Problem

BOX = Problem("tiny_box", "photos/labels.csv:12", "object 3 (mug): 1 x 85 px", "dropped_box", box=(5.0, 5.0, 6.0, 90.0))
TEXT = Problem("unknown_class", "photos/labels.csv:12", "object 3 (7): no class of data.yaml", "dropped_box")


def test_another_line_or_number_of_the_same_object_is_no_change() -> None:
    shifted = [
        replace(problem, file="photos/labels.csv:11", detail=problem.detail.replace("object 3", "object 2"))
        for problem in (BOX, TEXT)
    ]
    assert finding_changes(Findings([BOX, TEXT]), Findings(shifted)) == []


def test_a_finding_that_came_and_one_that_went_are_listed_by_kind() -> None:
    kept = replace(BOX, box=(1.0, 1.0, 2.0, 2.0))
    other = replace(BOX, box=(7.0, 7.0, 8.0, 8.0))
    came, went = replace(TEXT, kind="rare_class"), TEXT
    (first, second, third) = finding_changes(Findings([kept, BOX, went]), Findings([kept, other, other, came]))
    assert (first.kind, first.came, first.went) == ("tiny_box", (other, other), (BOX,))
    assert (second.kind, second.came, second.went) == ("rare_class", (came,), ())
    assert (third.kind, third.came, third.went) == ("unknown_class", (), (went,))


def test_the_same_finding_twice_counts_twice() -> None:
    (change,) = finding_changes(Findings([BOX]), Findings([BOX, BOX]))
    assert (change.came, change.went) == ((BOX,), ())


def test_another_action_is_a_change() -> None:
    (change,) = finding_changes(Findings([BOX]), Findings([replace(BOX, action="kept")]))
    assert [problem.action for problem in (*change.came, *change.went)] == ["kept", "dropped_box"]


def test_data_in_another_folder_have_the_same_findings() -> None:
    missing = Problem("missing_image", "photos/a.xml", "no image 'a.jpg' below photos", "dropped_image")
    moved = replace(missing, file="../moved/a.xml", detail="no image 'a.jpg' below ../moved")
    assert finding_changes(Findings([missing], ["photos"]), Findings([moved], ["../moved"])) == []
    assert len(finding_changes(Findings([missing]), Findings([moved]))) == 1
