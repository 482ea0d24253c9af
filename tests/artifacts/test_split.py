import json
from pathlib import Path

import pytest

from tasks.artifacts.split import DroppedImage, Leak, read_dropped, read_leaks, write_dropped, write_leaks
from tasks.errors import FormatError

LEAK = Leak(train="b.jpg", test="a.jpg", differing_bits=12, same_content=False)


def test_leaks_are_read_as_they_were_written_without_the_third_split(tmp_path: Path) -> None:
    write_leaks([LEAK], tmp_path)
    assert read_leaks(tmp_path) == [LEAK]
    assert json.loads((tmp_path / "leaks.json").read_text()) == [
        {"train": "b.jpg", "test": "a.jpg", "differing_bits": 12, "same_content": False}
    ]


def test_dropped_images_are_read_as_they_were_written(tmp_path: Path) -> None:
    row = DroppedImage(image="b", given_split="val", like="a", like_in="test", differing_bits=3, same_content=True)
    write_dropped([row], tmp_path)
    assert read_dropped(tmp_path) == [row]


def test_the_files_of_a_leak_are_listed_in_the_order_of_the_splits() -> None:
    assert LEAK.files == [("train", "b.jpg"), ("test", "a.jpg")]


def test_similarity_is_the_content_or_the_number_of_differing_bits() -> None:
    assert LEAK.similarity == "12 of 256 bits differ"
    assert LEAK.model_copy(update={"same_content": True}).similarity == "the same content"


def test_missing_files_are_no_record_of_leaks_and_no_dropped_images(tmp_path: Path) -> None:
    assert read_leaks(tmp_path) is None
    assert read_dropped(tmp_path) == []


@pytest.mark.parametrize("text", ["{", "{}", '[{"train": "a.jpg"}]'], ids=["not JSON", "no list", "keys missing"])
def test_a_damaged_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "leaks.json").write_text(text)
    with pytest.raises(FormatError, match=r"leaks\.json: not"):
        read_leaks(tmp_path)
