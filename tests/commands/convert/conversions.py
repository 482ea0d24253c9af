"""Annotations to convert, and what is read of the result."""

from tasks.__main__ import main
from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.formats.gather import gather
from tasks.formats.writers import WRITTEN_FORMATS
from tasks.params import IngestParams

FORMATS = tuple(WRITTEN_FORMATS)
SIZES = {"a.jpg": (64, 48), "b.png": (300, 2000), "sub/a.jpg": (48, 64), "sub/c d.jpg": (33, 7)}


def target(folder, kind):
    return folder / {"voc": "voc", "csv": "labels.csv", "coco": "labels.json", "yolo": "yolo"}[kind]


def image(name, *objects, size=None, difficult=(), iscrowd=()):
    n, (width, height) = len(objects), size or SIZES.get(name, (64, 48))
    return AnnotatedImage(
        name,
        width,
        height,
        as_boxes([box for _, box in objects]),
        tuple(name for name, _ in objects),
        flags(n, [i in difficult for i in range(n)]),
        flags(n, [i in iscrowd for i in range(n)]),
    )


def read(source, images, kind="auto"):
    return gather(IngestParams(source=source, images=images, format=kind, columns={}))


def convert(*arguments):
    return main(["convert", *map(str, arguments)])
