"""The three splits of a data set, and the words that data sets have for them."""

import re
from collections.abc import Collection

# COCO's folders are called train2017 and val2017.
_YEAR = re.compile(r"(?<=[a-z])(19|20)\d\d$", re.ASCII)
SPLITS = ("train", "val", "test")
# What stands where a split could, and says that there is none: AutoML's word.
_UNASSIGNED = "unassigned"
_SPLIT_OF_NAME = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validate", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def split_named(text: str) -> str:
    """The split that `text` names, however it is spelt (`valid`, `Training`, `val2017`); empty where it names none."""
    return _SPLIT_OF_NAME.get(_YEAR.sub("", text.strip().lower()), "")


def names_no_split(text: str) -> bool:
    """Whether `text` says that an image is in no split: empty, or `UNASSIGNED`."""
    return text.strip().lower() in ("", _UNASSIGNED)


def most_protected(splits: Collection[str]) -> str:
    """The split of an image that is listed in several: a test image must not be trained on."""
    return next((split for split in reversed(SPLITS) if split in splits), "")
