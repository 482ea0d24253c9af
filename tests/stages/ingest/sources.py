"""Small sources for the stage ingest, and running it."""

import json
from pathlib import Path

from PIL import Image

from tasks.dataset.boxes import as_boxes
from tasks.dataset.coco_json import read_coco
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.formats.pascal_voc import write_voc
from tasks.params import IngestParams
from tasks.stages.ingest import ingest

CAT = ("cat", [1, 2, 30, 40])
DOG = ("dog", [5, 6, 20, 20])


def picture(path, size=(64, 48)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, "white").save(path)


def annotation(path, image_name, *objects):
    path.parent.mkdir(parents=True, exist_ok=True)
    boxes = as_boxes([box for _, box in objects])
    names = tuple(name for name, _ in objects)
    write_voc(AnnotatedImage(image_name, 64, 48, boxes, names, flags(len(names)), flags(len(names))), path)


def run(source="data", images=None, **changes):
    params = IngestParams(source=source, images=images or source, **{"format": "auto", "columns": {}, **changes})
    figures = ingest(params, ingested=Path("out/annotations.json"))
    return read_coco(Path("out/annotations.json")), figures


def problems_of(dataset):
    return [(problem.kind, problem.action) for problem in dataset.problems]


def yolo(folder, files, names="dog\ncat\n"):
    for name, rows in {"classes.txt": names, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(rows)


def label_studio(path, *images):
    """One task an image: its name, its boxes in percent as `(class, x, y, width, height)`, more of each result."""
    tasks = []
    for number, (image, boxes, more) in enumerate(images, start=1):
        results = [
            {
                "type": "rectanglelabels",
                "value": {"x": x, "y": y, "width": width, "height": height, "rectanglelabels": [name]},
                **more,
            }
            for name, x, y, width, height in boxes
        ]
        tasks.append({"id": number, "data": {"image": image}, "annotations": [{"result": results}]})
    path.write_text(json.dumps(tasks))
