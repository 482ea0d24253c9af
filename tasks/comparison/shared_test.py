"""The test images that two runs share: what their figures can be compared on."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.comparison.box_changes import box_changes
from tasks.comparison.data_changes import pair_images
from tasks.comparison.run_data import RunData
from tasks.dataset.dataset import AnnotatedImage
from tasks.dataset.splits import SPLITS

_TEST = "test"


@dataclass(frozen=True)
class SharedTest:
    """The test images of both runs.

    Attributes:
        pairs: `(place in the first run's test split, place in the second's)` of those that they share.
        left_out: of each run, the names of its other test images by the reason in words.
    """

    pairs: Sequence[tuple[int, int]]
    left_out: tuple[dict[str, list[str]], dict[str, list[str]]]

    @property
    def is_whole(self) -> bool:
        """Whether no test image of either run is left out."""
        return not any(self.left_out)


def shared_test(before: RunData, after: RunData) -> SharedTest:
    """The images that are in the test split of both, with the same content and boxes.

    An image of which a copy is among the train or val images of one run only is not shared: that run has seen it.
    """
    pairs = pair_images(before.images, after.images)
    partner, back = dict(pairs), {j: i for i, j in pairs}
    reasons = _Reasons(before, after)
    shared = []
    left_out: tuple[dict[str, list[str]], dict[str, list[str]]] = ({}, {})
    for side, (own, other, other_place) in enumerate(((before, after, partner), (after, before, back))):
        start = _test_start(own)
        for place, image in enumerate(own.splits[_TEST].images):
            match = other_place.get(start + place)
            reason = reasons.of(image, other, match)
            if reason:
                left_out[side].setdefault(reason, []).append(image.file_name)
            elif side == 0 and match is not None:
                shared.append((place, match - _test_start(other)))
    return SharedTest(shared, left_out)


class _Reasons:
    """Why a test image of one run is not shared with the other."""

    def __init__(self, before: RunData, after: RunData) -> None:
        self._seen = [_content_seen(data) for data in (before, after)]

    def of(self, image: AnnotatedImage, other: RunData, match: int | None) -> str:
        """The reason in words; empty where it is shared. `match` is its place among the images of `other`."""
        if match is None:
            return f"not in the data of {other.run.name}"
        split, partner = other.split_names[match], other.images[match]
        if split != _TEST:
            return f"in the {split} split of {other.run.name}"
        if image.sha256 != partner.sha256 or not _has_same_boxes(image, partner):
            return "with other content or other boxes"
        first, second = (image.sha256 in seen for seen in self._seen)
        return "with a copy in the train or val split of one run only" if first != second else ""


def _test_start(data: RunData) -> int:
    return sum(len(data.splits[split].images) for split in SPLITS[: SPLITS.index(_TEST)])


def _content_seen(data: RunData) -> set[str]:
    named = zip(data.images, data.split_names, strict=True)
    return {image.sha256 for image, split in named if split != _TEST and image.sha256}


def _has_same_boxes(one: AnnotatedImage, other: AnnotatedImage) -> bool:
    """Whether figures on both would be the same: `difficult` does not count in them."""
    return all(
        change.kinds == ("flags",) and change.before and change.after and change.before.iscrowd == change.after.iscrowd
        for change in box_changes(one, other)
    )
