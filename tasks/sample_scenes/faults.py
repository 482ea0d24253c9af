"""The faults that real data has, planted in drawn scenes: each in files named after it."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, flags


@dataclass(frozen=True)
class Entry:
    """One image file, None where it is missing, and its annotation; `xml`, if not None, is written instead of VOC."""

    content: bytes | None
    image: AnnotatedImage
    xml: bytes | None = None


@dataclass(frozen=True)
class Fault:
    """Something that is wrong in real data.

    Attributes:
        name: its files are called `fault_NAME`.
        description: what is wrong, for the README.
        plant: makes a sound entry wrong.
        suits: which entries it can be planted in.
        of_first_scene: it is planted in a copy of the first scene.
    """

    name: str
    description: str
    plant: Callable[[Entry], Entry]
    suits: Callable[[AnnotatedImage], bool] = lambda image: len(image.classes) > 1
    of_first_scene: bool = False


def encode(image: Image.Image, image_format: str, **options: int) -> bytes:
    """The bytes of an image file."""
    buffer = io.BytesIO()
    image.save(buffer, format=image_format, **options)
    return buffer.getvalue()


def _write_note(entry: Entry) -> Entry:
    return replace(entry, xml=b"mug on the left, key below it, boxes to be done\n")


def _truncate(entry: Entry) -> Entry:
    return replace(entry, content=(entry.content or b"")[: len(entry.content or b"") // 2])


def _encode_as_png(entry: Entry) -> Entry:
    with Image.open(io.BytesIO(entry.content or b"")) as image:
        return replace(entry, content=encode(image, "PNG"))


def _move_past_edge(entry: Entry) -> Entry:
    boxes = entry.image.boxes.copy()
    # Of things that the edge really cuts, so that ending the box at the edge is right.
    boxes[boxes[:, 0] == 0, 0] = -25
    boxes[boxes[:, 2] == entry.image.width, 2] += 25
    return replace(entry, image=replace(entry.image, boxes=boxes))


def _invert_first_box(entry: Entry) -> Entry:
    boxes = entry.image.boxes.copy()
    boxes[0] = boxes[0, [2, 1, 0, 3]]
    return replace(entry, image=replace(entry.image, boxes=boxes))


def _add_box(entry: Entry, name: str, box: tuple[float, float, float, float]) -> Entry:
    image = entry.image
    n = len(image.classes) + 1
    boxes = np.concatenate([image.boxes, as_boxes([box])])
    more = replace(image, boxes=boxes, classes=(*image.classes, name), difficult=flags(n), iscrowd=flags(n))
    return replace(entry, image=more)


def _add_box_outside(entry: Entry) -> Entry:
    return _add_box(entry, "leaf", (entry.image.width + 30, 40, entry.image.width + 110, 120))


def _add_box_without_area(entry: Entry) -> Entry:
    return _add_box(entry, "mug", (50, 60, 50, 120))


def _misspell_key(entry: Entry) -> Entry:
    classes = list(entry.image.classes)
    classes[classes.index("key")] = "kye"
    return replace(entry, image=replace(entry.image, classes=tuple(classes)))


def _touches_a_side(image: AnnotatedImage) -> bool:
    return bool((image.boxes[:, 0] == 0).any() or (image.boxes[:, 2] == image.width).any())


FAULTS = (
    Fault("annotation_is_no_xml", "the annotation is a note in plain text", _write_note),
    Fault("image_truncated", "the JPEG ends halfway", _truncate),
    Fault("image_missing", "there is an annotation, but no image", lambda entry: replace(entry, content=None)),
    Fault("image_is_png", "the image is a PNG that is called .jpg", _encode_as_png),
    Fault(
        "image_twice",
        "the image has the same bytes as scene_0000.jpg: both must end up in the same split",
        lambda entry: entry,
        of_first_scene=True,
    ),
    Fault(
        "size_zero",
        "the annotation gives the image a size of 0 x 0 pixels",
        lambda entry: replace(entry, image=replace(entry.image, width=0, height=0)),
    ),
    Fault("box_partly_outside", "a box extends 25 pixels beyond the image", _move_past_edge, _touches_a_side),
    Fault("box_outside", "the last box lies outside the image", _add_box_outside),
    Fault("box_inverted", "the first box has its left and right sides exchanged", _invert_first_box),
    Fault("box_without_area", "the last box is 0 pixels wide", _add_box_without_area),
    Fault(
        "class_misspelt",
        "a key is called `kye`: a class with a single box",
        _misspell_key,
        lambda image: "key" in image.classes and len(image.classes) > 1,
    ),
)
