"""review.json and the memory of kept labels: written, read, and refused in a sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.artifacts.review import FoundSuspect, KeptLabel, read_kept, read_suspects, write_kept, write_suspects
from tasks.errors import DataError, FormatError

HASH = "0" * 63 + "a"
SUSPECT = FoundSuspect(
    image="a.jpg",
    sha256=HASH,
    kind="wrong_class",
    class_="cat",
    box=(1.0, 2.0, 3.5, 4.0),
    score=0.75,
    seen_class="dog",
    seen_box=(1.0, 2.0, 3.0, 4.0),
    sentence="labelled cat, looks like dog",
)


def kept(**changes: Any) -> KeptLabel:
    return KeptLabel.model_validate(
        {"image": HASH, "kind": "wrong_class", "class": "cat", "box": [1, 2, 4, 4], **changes}
    )


def test_suspects_come_back_in_their_order_under_the_names_that_the_docs_give(tmp_path: Path) -> None:
    other = SUSPECT.model_copy(update={"kind": "box_on_nothing", "seen_class": None, "seen_box": None})
    write_suspects([SUSPECT, other], tmp_path)
    assert read_suspects(tmp_path) == [SUSPECT, other]
    first, second = json.loads((tmp_path / "review.json").read_text())
    assert first == {
        "image": "a.jpg",
        "sha256": HASH,
        "kind": "wrong_class",
        "class": "cat",
        "box": [1, 2, 3.5, 4],
        "score": 0.75,
        "seen_class": "dog",
        "seen_box": [1, 2, 3, 4],
        "sentence": "labelled cat, looks like dog",
    }
    assert (second["seen_class"], second["seen_box"]) == (None, None)


def test_kept_labels_are_written_once_and_sorted(tmp_path: Path) -> None:
    path = tmp_path / "review_kept.json"
    assert read_kept(path) == []
    first, second = kept(), kept(**{"class": "dog \u202e"})
    write_kept([second, first, second], path)
    assert read_kept(path) == [first, second]
    before = path.read_bytes()
    write_kept([first, second], path)
    assert path.read_bytes() == before


def test_a_review_that_has_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"review\.json: no such file; `python -m tasks review` writes it"):
        read_suspects(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"kept": {}},
        {"kept": [{"image": HASH, "kind": "wrong", "class": "cat", "box": [1, 2, 3, 4]}]},
        {"kept": [{"image": HASH, "kind": "wrong_class", "class": "cat", "box": [1, 2, 3]}]},
        {"kept": [{"image": "../x", "kind": "wrong_class", "class": "cat", "box": [1, 2, 3, 4]}]},
        {"kept": [{"image": HASH, "kind": "wrong_class", "class": "cat", "box": [1, 2, 3, 10**30]}]},
        {"kept": [{"image": HASH, "kind": "wrong_class", "class": "\ud800", "box": [1, 2, 3, 4]}]},
    ],
)
def test_another_memory_is_refused_with_what_to_do(content: object, tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_text(json.dumps(content))
    with pytest.raises(FormatError, match=r"kept\.json: not labels that were kept.*; restore it, or remove it"):
        read_kept(tmp_path / "kept.json")


@pytest.mark.parametrize(
    "change",
    [
        {"score": 2},
        {"box": [1]},
        {"sha256": "x"},
        {"kind": "odd"},
        {"box": [0, 0, 1e308, 1]},
        {"seen_box": [0, 0, 1, -1e10]},
        {"class": "\ud800"},
        {"image": "\udcff.jpg"},
        {"sentence": "\ud800"},
    ],
)
def test_another_list_of_suspects_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    content = SUSPECT.model_dump(mode="json", by_alias=True) | change
    (tmp_path / "review.json").write_text(json.dumps([content]))
    with pytest.raises(FormatError, match=r"review\.json: not what `python -m tasks review` writes: 0\."):
        read_suspects(tmp_path)
