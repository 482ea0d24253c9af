"""Writing a data set as YOLO labels with classes.txt and data.yaml."""

import shutil
from pathlib import Path

import numpy as np
import yaml

from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.errors import FormatError
from tasks.formats.annotation_names import annotation_names
from tasks.ground.files import replacing
from tasks.images.image_finder import lexically_absolute

# Fractions have this many decimals: in an image of 100,000 pixels a millionth of a pixel comes back.
_DECIMALS = 12


def write_yolo(dataset: Dataset, folder: Path, *, copy_images: bool = False) -> None:
    """Write labels/, classes.txt and data.yaml; images are referred to by data.yaml, or copied to images/.

    Every image must have its size as stored. `read_yolo` and a look at the images give `dataset` back, to a millionth
    of a pixel and but for `difficult`, `iscrowd`, `source` and `sha256`.

    Raises:
        FormatError: two images would have the same label file, or the name of a class has a line break.
    """
    labels = annotation_names(dataset, ".txt", reserved="classes.txt")
    multiline = [name for name in dataset.classes if "\n" in name or "\r" in name]
    if multiline:
        raise FormatError(f"class {multiline[0]!r}: remove the line break: classes.txt has one class a line")
    numbers = {name: number for number, name in enumerate(dataset.classes)}
    with replacing(folder) as beside:
        for image, label in zip(dataset.images, labels, strict=True):
            path = beside / "labels" / label
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_rows(image, numbers), encoding="utf-8")
            if copy_images:
                target = beside / "images" / image.file_name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(dataset.image_path(image), target)
        (beside / "labels").mkdir(parents=True, exist_ok=True)
        (beside / "classes.txt").write_text("".join(f"{name}\n" for name in dataset.classes), encoding="utf-8")
        where = "images" if copy_images else lexically_absolute(dataset.root).as_posix()
        content = {"train": where, "val": where, "names": dict(enumerate(dataset.classes))}
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        (beside / "data.yaml").write_text(text, encoding="utf-8")


def _rows(image: AnnotatedImage, numbers: dict[str, int]) -> str:
    if not image.classes:
        return ""
    if 0 in (image.width, image.height):
        raise FormatError(f"{image.file_name}: its size is not known, and YOLO's boxes are fractions of it")
    size = np.array([image.width, image.height], dtype=np.float64)
    centres = (image.boxes[:, :2] + image.boxes[:, 2:]) / 2 / size
    sides = (image.boxes[:, 2:] - image.boxes[:, :2]) / size
    rows = np.concatenate([centres, sides], axis=1)
    return "".join(
        f"{numbers[name]} {' '.join(f'{value:.{_DECIMALS}f}' for value in row)}\n"
        for name, row in zip(image.classes, rows.tolist(), strict=True)
    )
