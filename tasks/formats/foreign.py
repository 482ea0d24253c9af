"""Annotation files of tools whose formats are not read: called by name, with the way to one that is."""

import re
from pathlib import Path

# What makes a format plain stands at the beginning of its files.
_READ_BYTES = 65_536
_COCO_KEYS = ("images", "annotations", "categories", "info", "licenses")
# A list of tasks with their data or results.
_LABEL_STUDIO = re.compile(r'^\s*\[\s*\{[\s\S]*"(data|result|completions)"\s*:')
# Format -> what its files contain, and how it becomes one that is read.
_KINDS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "a CVAT XML file",
        (r"<annotations>", r"<image\s"),
        "export the task from CVAT again as Pascal VOC 1.1 or COCO 1.0",
    ),
    (
        "a VIA project",
        (r'"(_via_settings|_via_img_metadata|region_attributes|shape_attributes)"',),
        "export it as COCO from VIA's menu (Annotation, Export Annotations (COCO format))",
    ),
    (
        "a labelme file",
        (r'"shapes"\s*:', r'"(imagePath|imageData|flags)"\s*:'),
        "convert the folder to Pascal VOC or COCO (labelme's own examples have labelme2voc.py and labelme2coco.py)",
    ),
    (
        "a CreateML file",
        (r"^\s*\[", r'"annotations?"\s*:', r'"coordinates"\s*:'),
        "export the data set from its tool again as COCO or Pascal VOC",
    ),
    ("a Supervisely file", (r'"objects"\s*:', r'"classTitle"\s*:'), "export the project as COCO or Pascal VOC"),
)


def foreign_kind(path: Path) -> str:
    """What the file is and how it becomes one that can be read, for messages; empty for a file of no such kind.

    Its beginning decides, as text: nothing in it is parsed.
    """
    if path.suffix.lower() not in (".json", ".xml") or not path.is_file():
        return ""
    try:
        with path.open("rb") as file:
            text = file.read(_READ_BYTES).decode("utf-8", errors="replace").removeprefix("\ufeff")
    except OSError:
        return ""
    # Whatever else is in them, these are read.
    if begins_as_coco(text) or _LABEL_STUDIO.search(text):
        return ""
    for name, patterns, remedy in _KINDS:
        if all(re.search(pattern, text) for pattern in patterns):
            return f"{name}, which is not read: {remedy}"
    return ""


def begins_as_coco(text: str) -> bool:
    """Whether the beginning of a file is that of an object with one of COCO's lists."""
    return text.lstrip().startswith("{") and any(f'"{key}"' in text for key in _COCO_KEYS)
