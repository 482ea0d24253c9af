"""Stage `sample`: the embedded default data set, drawn, so that the pipeline runs before anyone brings images.

It holds the faults that real data has, each in files named after it, so that the gate has something to show.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.ground.files import replacing
from tasks.formats.pascal_voc import write_voc
from tasks.sample_scenes.scenes import draw_scene
from tasks.sample_scenes.shapes import KINDS

if TYPE_CHECKING:
    from tasks.params import SampleParams

# Scenes for faults are drawn from here on, so that more scenes leave the faulty ones as they are.
_FIRST_FAULT = 1_000_000


@dataclass(frozen=True)
class _Entry:
    """One image file (None: there is none) and what its annotation file says (`xml` instead of VOC, where given)."""

    content: bytes | None
    image: AnnotatedImage
    xml: bytes | None = None


@dataclass(frozen=True)
class Fault:
    """Something that is wrong in real data.

    Attributes:
        name: its files are called `fault_NAME`.
        says: what is wrong, for the README.
        plant: makes a right entry wrong.
        suits: which entries it can be planted in.
        of_first_scene: it is planted in a copy of the first scene.
    """

    name: str
    says: str
    plant: Callable[[_Entry], _Entry]
    suits: Callable[[AnnotatedImage], bool] = lambda image: len(image.classes) > 1
    of_first_scene: bool = False


def sample(params: "SampleParams", *, sample: Path) -> dict[str, Any]:
    """Write `params.images` scenes, and one more for each fault if asked for: images/, annotations/, README.md.

    The same seed gives the same bytes.
    """
    faults = FAULTS if params.faults else ()
    boxes = 0
    with replacing(sample) as beside:
        (beside / "images").mkdir(parents=True)
        (beside / "annotations").mkdir()
        total = params.images + len(faults)
        for entry in tqdm(_entries(params.seed, params.images, faults), desc="sample", unit="scene", total=total):
            _write(entry, beside)
            boxes += len(entry.image.classes)
        (beside / "README.md").write_text(_readme(params.seed, params.images, faults), encoding="utf-8")
    return {"scenes": total, "boxes": boxes, "faults": len(faults)}


def _entries(seed: int, n_images: int, faults: tuple[Fault, ...]) -> Iterator[_Entry]:
    for index in range(n_images):
        yield _draw(seed, index, f"scene_{index:04d}")
    spare = count(_FIRST_FAULT)
    for fault in faults:
        name = f"fault_{fault.name}"
        entry = _draw(seed, 0 if fault.of_first_scene else next(spare), name)
        while not (fault.of_first_scene or fault.suits(entry.image)):
            entry = _draw(seed, next(spare), name)
        yield fault.plant(entry)


def _draw(seed: int, index: int, name: str) -> _Entry:
    rng = np.random.default_rng((seed, index))
    width, height = int(rng.integers(420, 561)), int(rng.integers(320, 421))
    if rng.uniform() < 0.15:
        width, height = height, width
    quality = int(rng.integers(80, 94))
    scene = draw_scene(rng, width=width, height=height)
    image = AnnotatedImage(
        file_name=f"images/{name}.jpg",
        width=width,
        height=height,
        boxes=as_boxes(scene.boxes),
        classes=tuple(scene.classes),
        difficult=flags(len(scene.classes)),
        iscrowd=flags(len(scene.classes)),
    )
    return _Entry(_encoded(scene.image, "JPEG", quality=quality), image)


def _write(entry: _Entry, folder: Path) -> None:
    path = folder / entry.image.file_name
    if entry.content is not None:
        path.write_bytes(entry.content)
    annotation = folder / "annotations" / f"{path.stem}.xml"
    if entry.xml is not None:
        annotation.write_bytes(entry.xml)
    else:
        write_voc(entry.image, annotation)


def _encoded(image: Image.Image, image_format: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=image_format, **options)
    return buffer.getvalue()


def _no_xml(entry: _Entry) -> _Entry:
    return replace(entry, xml=b"mug on the left, key below it, boxes to be done\n")


def _truncated(entry: _Entry) -> _Entry:
    return replace(entry, content=(entry.content or b"")[: len(entry.content or b"") // 2])


def _as_png(entry: _Entry) -> _Entry:
    with Image.open(io.BytesIO(entry.content or b"")) as image:
        return replace(entry, content=_encoded(image, "PNG"))


def _box_partly_outside(entry: _Entry) -> _Entry:
    boxes = entry.image.boxes.copy()
    # Of things that the edge really cuts, so that ending the box at the edge is right.
    boxes[boxes[:, 0] == 0, 0] = -25
    boxes[boxes[:, 2] == entry.image.width, 2] += 25
    return replace(entry, image=replace(entry.image, boxes=boxes))


def _box_inverted(entry: _Entry) -> _Entry:
    boxes = entry.image.boxes.copy()
    boxes[0] = boxes[0, [2, 1, 0, 3]]
    return replace(entry, image=replace(entry.image, boxes=boxes))


def _with_box(entry: _Entry, name: str, box: tuple[float, float, float, float]) -> _Entry:
    image = entry.image
    n = len(image.classes) + 1
    boxes = np.concatenate([image.boxes, as_boxes([box])])
    more = replace(image, boxes=boxes, classes=(*image.classes, name), difficult=flags(n), iscrowd=flags(n))
    return replace(entry, image=more)


def _box_outside(entry: _Entry) -> _Entry:
    return _with_box(entry, "leaf", (entry.image.width + 30, 40, entry.image.width + 110, 120))


def _box_without_area(entry: _Entry) -> _Entry:
    return _with_box(entry, "mug", (50, 60, 50, 120))


def _misspelt(entry: _Entry) -> _Entry:
    classes = list(entry.image.classes)
    classes[classes.index("key")] = "kye"
    return replace(entry, image=replace(entry.image, classes=tuple(classes)))


def _touches_a_side(image: AnnotatedImage) -> bool:
    return bool((image.boxes[:, 0] == 0).any() or (image.boxes[:, 2] == image.width).any())


FAULTS = (
    Fault("annotation_is_no_xml", "the annotation is a note in plain text", _no_xml),
    Fault("image_truncated", "the JPEG ends halfway", _truncated),
    Fault("image_missing", "there is an annotation, but no image", lambda entry: replace(entry, content=None)),
    Fault("image_is_png", "the image is a PNG, whatever its name says", _as_png),
    Fault(
        "image_twice",
        "the image has the same bytes as scene_0000.jpg: both must end up in the same part of the split",
        lambda entry: entry,
        of_first_scene=True,
    ),
    Fault(
        "size_zero",
        "the annotation says that the image is 0 x 0 pixels",
        lambda entry: replace(entry, image=replace(entry.image, width=0, height=0)),
    ),
    Fault("box_partly_outside", "a box goes on 25 pixels beyond the image", _box_partly_outside, _touches_a_side),
    Fault("box_outside", "the last box lies outside the image", _box_outside),
    Fault("box_inverted", "the first box has its left and right sides exchanged", _box_inverted),
    Fault("box_without_area", "the last box is 0 pixels wide", _box_without_area),
    Fault(
        "class_misspelt",
        "a key is called `kye`: a class with a single box",
        _misspelt,
        lambda image: "key" in image.classes and len(image.classes) > 1,
    ),
)


def _readme(seed: int, n_images: int, faults: tuple[Fault, ...]) -> str:
    lines = [
        "# Drawn scenes",
        "",
        f"{n_images} scenes with {', '.join(f'`{kind}`' for kind in KINDS)} among things that have no class,",
        f"drawn by the sample stage (seed {seed}). Boxes are tight around what can be seen of an object.",
        "",
        "`images/` holds JPEGs, `annotations/` a Pascal VOC file for each. The stage overwrites this folder.",
    ]
    if faults:
        lines += [
            "",
            "Some of it is wrong on purpose, as it is in real data; the validate stage must find it:",
            "",
            "| files | what is wrong |",
            "|---|---|",
            *(f"| `fault_{fault.name}` | {fault.says} |" for fault in faults),
        ]
    return "\n".join(lines) + "\n"
