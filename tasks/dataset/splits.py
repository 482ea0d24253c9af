"""The three splits of a data set, and the words that data sets have for them."""

from collections.abc import Collection

SPLITS = ("train", "val", "test")
_SPLIT_OF_NAME = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def split_named(text: str) -> str:
    """The split that `text` names, however it is spelt (`valid`, `Training`); empty where it names none."""
    return _SPLIT_OF_NAME.get(text.strip().lower(), "")


def most_protected(splits: Collection[str]) -> str:
    """The split of an image that is listed in several: a test image must not be trained on."""
    return next((split for split in reversed(SPLITS) if split in splits), "")
