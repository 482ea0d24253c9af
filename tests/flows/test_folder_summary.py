"""The summary of predict-folder on Prefect's pages."""

from typing import Any

import pytest

from flows.folder_summary import FolderSummary, Unlike, artifact_key, summary_markdown

SUMMARY = FolderSummary(
    folder="/srv/gate",
    out="/srv/gate/predictions",
    model="models/exported",
    model_checksum="0123456789abcdef" * 4,
    score_threshold=0.625,
    others=1,
    photos=7,
    new=4,
    done=3,
    detected=2,
    copied=1,
    recovered=0,
    drawings_removed=5,
    again=0,
    too_new=["new.jpg", "newer.jpg"],
    changed=["late.jpg"],
    gone=["gone.jpg"],
    unreadable={"x|<b>.jpg": "the image is damaged", "old.jpg": "not an image"},
    newly_unreadable=1,
    boxes={"cat": 3},
    boxes_in_all={"cat": 5, "dog": 1},
    seconds=0.5,
    images_per_s=4.0,
    unlike=None,
)


def test_all_that_was_done_is_on_the_page() -> None:
    page = summary_markdown(SUMMARY).splitlines()
    assert page[0] == "# /srv/gate"
    for row in (
        "| photos in the folder | 7 |",
        "| new or changed | 4 |",
        "| done | 3 |",
        "| of these, detected in | 2 |",
        "| of these, copies of other photos | 1 |",
        "| of these, taken from earlier results | 0 |",
        "| drawings of earlier results removed | 5 |",
        "| left for the next run, as they are too new | 2 |",
        "| left for the next run, as they are still being written | 1 |",
        "| gone since the start of the run | 1 |",
        "| unreadable | 2 (1 of them new) |",
        "| images/s | 4.0 |",
        "| model | models/exported, SHA-256 0123456789ab |",
        "| score threshold | 0.62 |",
        "| cat | 3 | 5 |",
        "| dog | 0 | 1 |",
        "- old.jpg: not an image",
        "- late.jpg",
        "- gone.jpg",
    ):
        assert row in page
    assert "- new.jpg" not in page


def test_the_sentence_leaves_out_what_there_is_none_of() -> None:
    listed = "4 new, 3 done, 2 unreadable, 2 too new, 1 still being written, 1 gone"
    assert SUMMARY.sentence == f"7 photos, {listed}"
    none_left: dict[str, Any] = {"unreadable": {}, "too_new": [], "changed": [], "gone": []}
    nothing = SUMMARY.model_copy(update={"photos": 1, "new": 0, "done": 0, **none_left})
    assert nothing.sentence == "1 photo, none new"
    assert nothing.model_copy(update={"again": 1, "done": 1}).sentence == "1 photo, none new, 1 again, 1 done"
    assert nothing.model_copy(update={"too_new": ["a.jpg"]}).sentence == "1 photo, 1 too new"


def test_a_name_is_shown_and_never_obeyed() -> None:
    assert "- x\\|&lt;b>.jpg: the image is damaged" in summary_markdown(SUMMARY)


def test_of_many_unreadable_photos_some_are_named() -> None:
    many = SUMMARY.model_copy(update={"unreadable": {f"{i:03}.jpg": "why" for i in range(60)}})
    page = summary_markdown(many)
    assert page.count(": why") == 50
    assert "- and 10 more" in page


def test_an_idle_run_has_a_page_too() -> None:
    nothing_left = {"unreadable": {}, "newly_unreadable": 0, "changed": [], "gone": []}
    idle = SUMMARY.model_copy(update={"detected": 0, "boxes": {}, "boxes_in_all": {}, **nothing_left})
    page = summary_markdown(idle)
    assert "| images/s | nothing was detected in |" in page
    assert "No boxes." in page
    assert "##" not in page


@pytest.mark.parametrize(
    ("folder", "key"),
    [
        ("/srv/Gate 7", "predict-folder-gate-7"),
        ("photos", "predict-folder-photos"),
        ("/srv/\u0444\u043e\u0442\u043e", "predict-folder"),
    ],
)
def test_the_runs_over_one_folder_share_a_key_that_prefect_allows(folder: str, key: str) -> None:
    assert artifact_key(folder) == key


def test_photos_unlike_the_training_photos_are_in_the_sentence_and_on_the_page() -> None:
    difference = {"property": "brightness", "p": 0.0003, "text": "darker (median brightness 41 against 118)"}
    unlike = Unlike.model_validate({"compared": 60, "differences": [difference], "most_unlike": ["a_1.jpg"]})
    alarmed = SUMMARY.model_copy(update={"unlike": unlike})
    assert alarmed.sentence.endswith(", 1 gone, unlike the training photos")
    page = summary_markdown(alarmed)
    assert "\n## Unlike the training photos\n" in page
    assert "\n- darker (median brightness 41 against 118)\n- a\\_1.jpg\n" in page


def test_photos_like_the_training_photos_are_not_mentioned() -> None:
    alike = SUMMARY.model_copy(update={"unlike": Unlike(compared=60, differences=[], most_unlike=[])})
    for summary in (SUMMARY, alike):
        assert "training photos" not in summary.sentence + summary_markdown(summary)
