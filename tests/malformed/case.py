"""One malformed input: how it is made, which stages it meets, and which kinds of problems it ends in.

The sentences that it ends in stand in expected.json.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
GATE = ("ingest", "validate")
GOOD_SIZE = (64, 48)


@dataclass(frozen=True)
class Case:
    """One malformed input.

    Attributes:
        name: what is wrong, in words joined by `-`.
        area: the format or the door that it tries.
        make: writes it below the folder that it is given; `data/` there is `ingest.source`, unless `params` differ.
        ends: the kinds of problems that it is reported as, sorted; or `refused by STAGE`, one sentence and no output.
        stages: commands that are run one after the other, until one refuses.
        params: what differs from the project's params.yaml, section by section; text instead is the whole file.
    """

    name: str
    area: str
    make: Callable[[Path], None]
    ends: tuple[str, ...] | str = ()
    stages: tuple[str, ...] = GATE
    params: Mapping[str, Mapping[str, Any]] | bytes = field(default_factory=dict)

    @property
    def large(self) -> bool:
        """Whether making it takes seconds: an image near a limit, or a bomb."""
        return any(word in self.name for word in ("largest", "gigapixel", "bomb", "over-the-limit", "10-mb", "50-mb"))

    @property
    def explained(self) -> bool:
        """Whether each image has an annotation of its own, so that `explain` finds it by either's name."""
        return self.area in ("voc", "paths", "yolo", "images")


def picture(path: Path, size: tuple[int, int] = GOOD_SIZE) -> Path:
    """A small image that nothing is wrong with, in a colour of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (zlib.crc32(path.name.encode()) & 0xFF, 99, 99)).save(path)
    return path


def voc_xml(
    body: str = "", *, filename: str = "bad.jpg", size: str = "<width>64</width><height>48</height>", name: str = "cat"
) -> str:
    """A VOC annotation with one good object of class `name`, or with `body` instead of it."""
    box = "<bndbox><xmin>10</xmin><ymin>10</ymin><xmax>50</xmax><ymax>40</ymax></bndbox>"
    objects = body or f"<object><name>{name}</name>{box}</object>"
    return f"<annotation><filename>{filename}</filename><size>{size}</size>{objects}</annotation>"


def good_voc(data: Path) -> None:
    """A healthy neighbour, so that a bad one alone does not end the run for want of any image."""
    picture(data / "good.jpg")
    (data / "good.xml").write_text(voc_xml(filename="good.jpg"), encoding="utf-8")
