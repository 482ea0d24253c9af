"""The three splits of a data set, and the words that data sets have for them."""

from collections.abc import Collection

SPLITS = ("train", "val", "test")
_SPLIT_OF_NAME = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def split_named(text: str) -> str:
    """`train`, `val` or `test`, however it is spelt; empty where `text` is none of them."""
    return _SPLIT_OF_NAME.get(text.strip().lower(), "")


def most_protected(splits: Collection[str]) -> str:
    """The split of an image that is listed in several: what was meant to be tested must not be learned from."""
    return next((split for split in reversed(SPLITS) if split in splits), "")
