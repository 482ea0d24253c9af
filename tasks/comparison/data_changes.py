"""What changed in the data between two runs: images, their splits, their boxes, and what the gate found in them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, cast, get_args

from tasks.comparison.box_changes import BoxChange, BoxKind, box_changes, boxes_of
from tasks.comparison.finding_changes import FindingChange, finding_changes
from tasks.comparison.pairing import pair_in_rounds
from tasks.comparison.run_data import RunData
from tasks.dataset.dataset import AnnotatedImage
from tasks.ground.text import composed

ImageKind = Literal["added", "removed", "split", "content", "renamed"]
IMAGE_KINDS: tuple[ImageKind, ...] = get_args(ImageKind)


@dataclass(frozen=True)
class PlacedImage:
    """An image and its split."""

    image: AnnotatedImage
    split: str


@dataclass(frozen=True)
class ImageChange:
    """One image of which anything changed; None where it does not exist.

    Attributes:
        before, after: the image in each run.
        boxes: what changed of its boxes; all of them for an image that was added or removed.
        reason: why it is in one run only, where that is known.
    """

    before: PlacedImage | None
    after: PlacedImage | None
    boxes: tuple[BoxChange, ...]
    reason: str = ""

    @property
    def kinds(self) -> tuple[ImageKind, ...]:
        """What changed of the image itself; empty where only its boxes did."""
        if self.before is None or self.after is None:
            return ("added",) if self.before is None else ("removed",)
        first, second = self.before.image, self.after.image
        checks: list[tuple[ImageKind, bool]] = [
            ("split", self.before.split != self.after.split),
            ("content", first.sha256 != second.sha256),
            ("renamed", composed(first.file_name) != composed(second.file_name)),
        ]
        return tuple(kind for kind, holds in checks if holds)

    @property
    def latest(self) -> PlacedImage:
        """The image after, or before where it was removed."""
        return cast(PlacedImage, self.after or self.before)


@dataclass(frozen=True)
class ClassChange:
    """What became of the boxes of one class; the boxes of images that were added or removed are counted too.

    Attributes:
        before, after: how many there are: `after = before + added - removed + renamed_to - renamed_from`.
        changes: how many were `added`, `removed`, `moved`, or had their `flags` changed.
        renamed_from, renamed_to: how many had this class before, or have it now.
    """

    name: str
    before: int
    after: int
    changes: Counter[BoxKind]
    renamed_from: int
    renamed_to: int


@dataclass(frozen=True)
class DataChanges:
    """All that differs between the data of two runs.

    Attributes:
        before, after: the data.
        images: those of which anything changed: removed, then changed, then added.
        findings: what the gate found anew, or no more.
    """

    before: RunData
    after: RunData
    images: Sequence[ImageChange]
    findings: Sequence[FindingChange]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.images or self.findings or set(self.before.classes) != set(self.after.classes))

    @cached_property
    def of_image(self) -> dict[ImageKind, list[ImageChange]]:
        """The images by what changed of them."""
        return {kind: [each for each in self.images if kind in each.kinds] for kind in IMAGE_KINDS}

    @cached_property
    def class_changes(self) -> list[ClassChange]:
        """One entry for each class of which a box changed, or that only one of the runs has; by name."""
        counts: dict[str, Counter[BoxKind]] = {}
        renamed_from: Counter[str] = Counter()
        renamed_to: Counter[str] = Counter()
        for _, change in self.box_changes():
            for kind in change.kinds:
                old, new = change.before or change.after, change.after or change.before
                if old is None or new is None:
                    continue
                if kind == "renamed":
                    renamed_from[old.class_] += 1
                    renamed_to[new.class_] += 1
                else:
                    counts.setdefault(new.class_, Counter())[kind] += 1
        first, second = (Counter(_box_counts(data)) for data in (self.before, self.after))
        names = counts.keys() | renamed_from.keys() | renamed_to.keys()
        names |= set(self.before.classes) ^ set(self.after.classes)
        return [
            ClassChange(
                name, first[name], second[name], counts.get(name, Counter()), renamed_from[name], renamed_to[name]
            )
            for name in sorted(names)
        ]

    def box_changes(self, kind: BoxKind | None = None) -> Iterator[tuple[ImageChange, BoxChange]]:
        """Every box that changed with its image, or those of one kind."""
        for image in self.images:
            for change in image.boxes:
                if kind is None or kind in change.kinds:
                    yield image, change


def data_changes(before: RunData, after: RunData) -> DataChanges:
    """What differs between the data of two runs.

    An image is first looked for by its name and content, then by its content, then by its name.
    """
    pairs = pair_images(before.images, after.images)
    in_both = [
        ImageChange(
            PlacedImage(first, before.split_names[i]),
            PlacedImage(second, after.split_names[j]),
            tuple(box_changes(first, second)),
        )
        for i, j in pairs
        for first, second in [(before.images[i], after.images[j])]
    ]
    paired_before, paired_after = {i for i, _ in pairs}, {j for _, j in pairs}
    removed = [
        ImageChange(
            PlacedImage(image, before.split_names[i]),
            None,
            tuple(BoxChange(box, None) for box in boxes_of(image)),
            after.why_absent(image),
        )
        for i, image in enumerate(before.images)
        if i not in paired_before
    ]
    added = [
        ImageChange(
            None,
            PlacedImage(image, after.split_names[j]),
            tuple(BoxChange(None, box) for box in boxes_of(image)),
            before.why_absent(image),
        )
        for j, image in enumerate(after.images)
        if j not in paired_after
    ]
    changed = [each for each in in_both if each.boxes or each.kinds]
    return DataChanges(before, after, [*removed, *changed, *added], finding_changes(before.findings, after.findings))


def pair_images(before: Sequence[AnnotatedImage], after: Sequence[AnnotatedImage]) -> list[tuple[int, int]]:
    """`(place in before, place in after)` of the images that both have."""
    return pair_in_rounds([_keys(image) for image in before], [_keys(image) for image in after])


def _keys(image: AnnotatedImage) -> tuple[object, ...]:
    name = composed(image.file_name)
    return (name, image.sha256), image.sha256 or None, name


def _box_counts(data: RunData) -> Counter[str]:
    return Counter(name for image in data.images for name in image.classes)
