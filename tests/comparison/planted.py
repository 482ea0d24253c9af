"""Data sets with planted edits of every kind, and the account of them that `data_changes` must give."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from tasks.comparison.data_changes import DataChanges
from tasks.comparison.run import Run
from tasks.comparison.run_data import RunData
from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.dataset.splits import SPLITS

CLASSES = ("key", "leaf", "mug")
SIDE_PX = 400
# One edit: what kind, the image's name, and what else tells it apart.
Edit = tuple[object, ...]
Named = dict[str, tuple[AnnotatedImage, str]]


def image(name: str, *boxes: tuple[str, float, float, float, float], content: str = "") -> AnnotatedImage:
    """An image whose content is `content`, or its name; each box `(class, xmin, ymin, xmax, ymax)`."""
    n = len(boxes)
    return AnnotatedImage(
        name,
        SIDE_PX,
        SIDE_PX,
        as_boxes([box[1:] for box in boxes]),
        tuple(box[0] for box in boxes),
        flags(n),
        flags(n),
        sha256=sha256((content or name).encode()).hexdigest(),
    )


def random_images(random: np.random.Generator, count: int) -> Named:
    """Images of one to six boxes that may overlap, by name, with their splits."""
    found: Named = {}
    for number in range(count):
        boxes = []
        for _ in range(int(random.integers(1, 7))):
            left, top = random.integers(0, SIDE_PX - 80, 2)
            width, height = random.integers(12, 80, 2)
            boxes.append((str(random.choice(CLASSES)), left, top, left + width, top + height))
        name = f"photos/{number:05}.jpg"
        found[name] = image(name, *boxes), str(random.choice(SPLITS, p=(0.7, 0.1, 0.2)))
    return found


def plant(random: np.random.Generator, before: Named, edits: int) -> tuple[Named, set[Edit]]:
    """`before` with so many edits, kind by kind in turn and one an image, and their account."""
    after, account = dict(before), set()
    kinds: list[Callable[[np.random.Generator, Named, str], Edit]] = [
        _add_image, _remove_image, _move_image, _replace_image, _rename_image,
        _add_box, _remove_box, _move_box, _rename_box, _set_flag,
    ]  # fmt: skip
    for turn, name in enumerate(random.permutation(sorted(before))[:edits]):
        account.add(kinds[turn % len(kinds)](random, after, str(name)))
    return after, account


def account_of(changes: DataChanges) -> set[Edit]:
    """The edits that `changes` has found, as `plant` writes them."""
    found: set[Edit] = set()
    for each in changes.images:
        name = (each.before or each.latest).image.file_name
        found |= {(kind, name, each.latest.image.file_name, each.latest.split) for kind in each.kinds}
        if set(each.kinds) & {"added", "removed"}:
            continue
        for change in each.boxes:
            sides = [(box.class_, box.corners, box.flags) if box else None for box in (change.before, change.after)]
            found |= {(f"box {kind}", name, *sides) for kind in change.kinds}
    return found


def run_data(images: Named, name: str = "run") -> RunData:
    """A run with these images."""
    splits = {
        split: Dataset(Path("data"), CLASSES, tuple(each for each, own in images.values() if own == split))
        for split in SPLITS
    }
    return RunData(Run(name, Path(), Path(), {}), splits)


def _add_image(random: np.random.Generator, images: Named, name: str) -> Edit:
    new = f"new/{Path(name).name}"
    images[new] = image(new, ("key", 1, 2, 30, 40)), "train"
    return "added", new, new, "train"


def _remove_image(random: np.random.Generator, images: Named, name: str) -> Edit:
    _, split = images.pop(name)
    return "removed", name, name, split


def _move_image(random: np.random.Generator, images: Named, name: str) -> Edit:
    own, split = images[name]
    other = SPLITS[SPLITS.index(split) - 1]
    images[name] = own, other
    return "split", name, name, other


def _replace_image(random: np.random.Generator, images: Named, name: str) -> Edit:
    own, split = images[name]
    images[name] = replace(own, sha256=sha256(f"another {name}".encode()).hexdigest()), split
    return "content", name, name, split


def _rename_image(random: np.random.Generator, images: Named, name: str) -> Edit:
    own, split = images.pop(name)
    new = f"renamed/{Path(name).name}"
    images[new] = replace(own, file_name=new), split
    return "renamed", name, new, split


def _side(own: AnnotatedImage, i: int) -> Edit:
    return own.classes[i], tuple(own.boxes[i].tolist()), (bool(own.difficult[i]), bool(own.iscrowd[i]))


def _add_box(random: np.random.Generator, images: Named, name: str) -> Edit:
    own, split = images[name]
    left, top = random.integers(0, SIDE_PX - 50, 2)
    boxes = np.concatenate([own.boxes, as_boxes([[left + 0.5, top, left + 40, top + 50]])])
    n = len(boxes)
    new = replace(own, boxes=boxes, classes=(*own.classes, "leaf"), difficult=flags(n), iscrowd=flags(n))
    images[name] = new, split
    return "box added", name, None, _side(new, n - 1)


def _remove_box(random: np.random.Generator, images: Named, name: str) -> Edit:
    own, split = images[name]
    i = int(random.integers(len(own.boxes)))
    images[name] = own.keep(np.arange(len(own.boxes)) != i), split
    return "box removed", name, _side(own, i), None


def _move_box(random: np.random.Generator, images: Named, name: str) -> Edit:
    own, split = images[name]
    i = int(random.integers(len(own.boxes)))
    boxes = own.boxes.copy()
    sides = boxes[i, 2:] - boxes[i, :2]
    boxes[i] += np.tile(np.round(random.choice([-1, 1], 2) * random.uniform(0.1, 0.4, 2) * sides, 1), 2)
    new = replace(own, boxes=boxes)
    images[name] = new, split
    return "box moved", name, _side(own, i), _side(new, i)


def _rename_box(random: np.random.Generator, images: Named, name: str) -> Edit:
    own, split = images[name]
    i = int(random.integers(len(own.boxes)))
    classes = list(own.classes)
    classes[i] = CLASSES[CLASSES.index(classes[i]) - 1]
    new = replace(own, classes=tuple(classes))
    images[name] = new, split
    return "box renamed", name, _side(own, i), _side(new, i)


def _set_flag(random: np.random.Generator, images: Named, name: str) -> Edit:
    own, split = images[name]
    i = int(random.integers(len(own.boxes)))
    new = replace(own, difficult=np.arange(len(own.boxes)) == i)
    images[name] = new, split
    return "box flags", name, _side(own, i), _side(new, i)
