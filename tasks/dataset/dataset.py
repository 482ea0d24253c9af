"""Annotated images and data sets, immutable.

Class names are the names people wrote; ids appear only in files, where they start at 1 in the order of
`Dataset.classes`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tasks.dataset.boxes import Boxes, Corners

# Dense photos have hundreds of objects, microscope slides thousands. A file of one image that has more is broken.
MAX_OBJECTS = 100_000


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """One image and its objects.

    Attributes:
        file_name: posix path of the image relative to the data set's `root`.
        width, height: pixels; 0 where the annotations do not say.
        boxes: `(N, 4)` XYXY_ABS, as written: may leave the image until `validate` has seen them.
        classes: N class names.
        difficult, iscrowd: `(N,)` bool.
        source: posix path of the annotation file (for messages), with a `:line` where that helps.
        sha256: content hash of the image file; empty where the file was not read.
        perceptual_hash: 64 hex digits of which few bits differ between similar images; empty until decoded.
        given_split: the split that the data set's author put it in, `train`, `val` or `test`; else empty.
        slices: what the annotations say of the whole image, by what they call it: `{"camera": "north"}`.
    """

    file_name: str
    width: int
    height: int
    boxes: Boxes
    classes: tuple[str, ...]
    difficult: npt.NDArray[np.bool_]
    iscrowd: npt.NDArray[np.bool_]
    source: str = ""
    sha256: str = ""
    perceptual_hash: str = ""
    given_split: str = ""
    slices: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.classes)
        for name, array, shape in (
            ("boxes", self.boxes, (n, 4)),
            ("difficult", self.difficult, (n,)),
            ("iscrowd", self.iscrowd, (n,)),
        ):
            if array.shape != shape:
                raise ValueError(f"{self.file_name}: expected {name} of shape {shape}, but got {array.shape}")

    def keep(self, mask: npt.NDArray[np.bool_]) -> "AnnotatedImage":
        """The same image with only the objects where `mask`, `(N,)` bool, is true."""
        return replace(
            self,
            boxes=self.boxes[mask],
            classes=tuple(name for name, kept in zip(self.classes, mask, strict=True) if kept),
            difficult=self.difficult[mask],
            iscrowd=self.iscrowd[mask],
        )

    def at_size(self, width: int, height: int) -> "AnnotatedImage":
        """What the same objects are in the image scaled to `width` x `height` pixels; its own size gives itself."""
        if (width, height) == (self.width, self.height):
            return self
        factors = np.array([width / self.width, height / self.height] * 2, dtype=np.float64)
        return replace(self, width=width, height=height, boxes=self.boxes * factors)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a record, and what was done about it.

    Attributes:
        kind: one of the kinds that docs/data-gate.md lists, such as `box_outside_image`.
        file: the annotation or image file.
        detail: the object and its values, in words.
        action: `dropped_image`, `dropped_box`, `dropped_class`, `fixed_box`, `fixed_image`, `fixed_class`, `kept`,
            `left_out` of what never was part of the data.
        image: the image file that it is of, where `file` is another; empty where that is not known.
        box: XYXY_ABS as annotated, in pixels of the image as stored; None where it is of no single box, or of one whose
            numbers could not be read.
    """

    kind: str
    file: str
    detail: str
    action: str
    image: str = ""
    box: Corners | None = None


@dataclass(frozen=True)
class Dataset:
    """Images with their objects.

    Attributes:
        root: the folder that `file_name`s are relative to.
        classes: class names in label-map order (ids 1, 2, ...).
        images: the images, in a fixed order.
        problems: what was found wrong so far.
    """

    root: Path
    classes: tuple[str, ...]
    images: tuple[AnnotatedImage, ...]
    problems: tuple[Problem, ...] = field(default=())

    def box_counts(self) -> Counter[str]:
        """How many boxes each class has, 0 for classes without one."""
        counts: Counter[str] = Counter(dict.fromkeys(self.classes, 0))
        for image in self.images:
            counts.update(image.classes)
        return counts

    def image_path(self, image: AnnotatedImage) -> Path:
        """Where the image file is."""
        return self.root / image.file_name


def flags(n: int, values: Iterable[bool] | None = None) -> npt.NDArray[np.bool_]:
    """`(n,)` bool: `values`, or all false."""
    return np.zeros(n, dtype=bool) if values is None else np.fromiter(values, dtype=bool, count=n)
