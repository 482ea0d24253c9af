"""Stage `sample`: the embedded default data set, drawn, so that the pipeline runs before anyone brings images.

It holds the faults that real data has, each in files named after it, so that the gate has something to show.
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.formats.pascal_voc import write_voc
from tasks.ground.files import replacing
from tasks.sample_scenes.faults import FAULTS, Entry, Fault, encode
from tasks.sample_scenes.scenes import draw_scene
from tasks.sample_scenes.shapes import KINDS

if TYPE_CHECKING:
    from tasks.params import SampleParams

# Scenes for faults are drawn from here on, so that more scenes leave the faulty ones as they are.
_FIRST_FAULT = 1_000_000


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


def _entries(seed: int, n_images: int, faults: tuple[Fault, ...]) -> Iterator[Entry]:
    for index in range(n_images):
        yield _draw(seed, index, f"scene_{index:04d}")
    spare = count(_FIRST_FAULT)
    for fault in faults:
        name = f"fault_{fault.name}"
        entry = _draw(seed, 0 if fault.of_first_scene else next(spare), name)
        while not (fault.of_first_scene or fault.suits(entry.image)):
            entry = _draw(seed, next(spare), name)
        yield fault.plant(entry)


def _draw(seed: int, index: int, name: str) -> Entry:
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
    return Entry(encode(scene.image, "JPEG", quality=quality), image)


def _write(entry: Entry, folder: Path) -> None:
    path = folder / entry.image.file_name
    if entry.content is not None:
        path.write_bytes(entry.content)
    annotation = folder / "annotations" / f"{path.stem}.xml"
    if entry.xml is not None:
        annotation.write_bytes(entry.xml)
    else:
        write_voc(entry.image, annotation)


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
