import pytest

from tasks.dataset.splits import names_no_split, split_named


@pytest.mark.parametrize(
    ("text", "split"),
    [("VALIDATE", "val"), ("train2017", "train"), (" Valid ", "val"), ("2017", ""), ("train1", ""), ("UNASSIGNED", "")],
)
def test_the_words_of_tools_name_a_split(text: str, split: str) -> None:
    assert split_named(text) == split


def test_automls_unassigned_names_no_split() -> None:
    assert names_no_split("UNASSIGNED")
    assert names_no_split(" ")
    assert not names_no_split("fold 3")
