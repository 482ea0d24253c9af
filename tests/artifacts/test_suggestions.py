"""suggest.json: what is written is read back; what is something else is refused with the way on."""

import json
from pathlib import Path

import pytest

from tasks.artifacts.suggestions import LeftOut, Suggestion, Suggestions, read_suggestions, write_suggestions
from tasks.errors import DataError, FormatError

ONE = Suggestion(rank=1, image="a.png", reason="unsure", uncertainty=1.5, distance=0.25, nearest="b.png")
SUGGESTIONS = Suggestions(
    folder="photos",
    model="models/exported",
    model_checksum="ab",
    count=20,
    random_share=0.2,
    seed=1,
    labelled=3,
    candidates=4,
    photos=[ONE],
    left_out=[LeftOut(image="c.png", why="labelled", detail="b.png")],
)


def test_suggestions_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    write_suggestions(tmp_path / "suggest.json", SUGGESTIONS)
    assert read_suggestions(tmp_path / "suggest.json") == SUGGESTIONS


def test_a_missing_file_is_named_with_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"suggest\.json: no such file; run `python -m tasks suggest FOLDER` again"):
        read_suggestions(tmp_path / "suggest.json")


@pytest.mark.parametrize(
    ("change", "key"),
    [({"photos": [{"rank": 0}]}, r"photos\.0\.rank"), ({"count": None}, "count"), ({"left_out": [{}]}, "left_out")],
    ids=["rank", "count", "left out"],
)
def test_the_first_wrong_key_is_named(change: dict[str, object], key: str, tmp_path: Path) -> None:
    path = tmp_path / "suggest.json"
    path.write_text(json.dumps({**SUGGESTIONS.model_dump(mode="json"), **change}))
    with pytest.raises(FormatError, match=rf"not what `suggest` writes: {key}.*; run `python -m tasks suggest"):
        read_suggestions(path)


@pytest.mark.parametrize("content", ["[]", "no json", "[[[["])
def test_another_file_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "suggest.json").write_text(content)
    with pytest.raises(FormatError, match=r"suggest\.json"):
        read_suggestions(tmp_path / "suggest.json")
