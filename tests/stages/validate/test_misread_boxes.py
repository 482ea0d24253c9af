"""Boxes written in another convention than their format's: read from real files, stopped by the gate."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.errors import DataError
from tasks.gate.misread_boxes import find_misread_boxes
from tasks.params import IngestParams
from tasks.stages.ingest import ingest
from tasks.stages.validate import validate
from tests.stages.validate.gated import MODEL, PARAMS, ingested_image, photo, run

WIDTH, HEIGHT, IMAGES, PER_IMAGE = 80, 60, 12, 3


def corners_of_all() -> np.ndarray:
    """`(IMAGES, PER_IMAGE, 4)` corners in whole pixels, anywhere in the images; the same at each call."""
    random = np.random.default_rng(5)
    size = random.integers((10, 10), (36, 28), (IMAGES, PER_IMAGE, 2))
    start = random.integers(0, np.array([WIDTH, HEIGHT]) - size + 1)
    return np.concatenate([start, start + size], axis=2)


def as_corners(box):
    return box


def as_top_left(box):
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


def as_centre(box):
    return [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]]


def y_first(written):
    return lambda box: [written(box)[i] for i in (1, 0, 3, 2)]


def write_coco(written):
    content = {
        "images": [{"id": i, "file_name": f"{i}.png", "width": WIDTH, "height": HEIGHT} for i in range(IMAGES)],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"id": 10 * i + j, "image_id": i, "category_id": 1, "bbox": [float(v) for v in written(box)]}
            for i, boxes in enumerate(corners_of_all())
            for j, box in enumerate(boxes)
        ],
    }
    Path("photos/annotations.json").write_text(json.dumps(content))
    return "photos/annotations.json"


def write_yolo(written):
    Path("photos/classes.txt").write_text("cat\n")
    for i, boxes in enumerate(corners_of_all()):
        rows = [np.array(written(box)) / (WIDTH, HEIGHT, WIDTH, HEIGHT) for box in boxes]
        Path(f"photos/{i}.txt").write_text("".join(f"0 {' '.join(f'{v:.6f}' for v in row)}\n" for row in rows))
    return "photos"


def write_csv(written):
    rows = [
        f"{i}.png,{','.join(str(v) for v in written(box))},cat"
        for i, boxes in enumerate(corners_of_all())
        for box in boxes
    ]
    Path("photos/boxes.csv").write_text("\n".join(["filename,xmin,ymin,xmax,ymax,class", *rows]))
    return "photos/boxes.csv"


def write_voc(written):
    for i, boxes in enumerate(corners_of_all()):
        objects = ""
        for box in boxes:
            sides = zip(("xmin", "ymin", "xmax", "ymax"), written(box), strict=True)
            numbers = "".join(f"<{side}>{value}</{side}>" for side, value in sides)
            objects += f"<object><name>cat</name><bndbox>{numbers}</bndbox></object>"
        size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>"
        Path(f"photos/{i}.xml").write_text(f"<annotation><filename>{i}.png</filename>{size}{objects}</annotation>")
    return "photos"


def gate(source: str, **changes: object) -> None:
    for i in range(IMAGES):
        Image.new("RGB", (WIDTH, HEIGHT), (i, i, i)).save(f"photos/{i}.png")
    params = IngestParams(source=Path(source), images=Path("photos"), format="auto", columns={})
    ingest(params, ingested=Path("ingested.json"))
    validate(
        PARAMS.model_copy(update=changes),
        MODEL,
        ingested=Path("ingested.json"),
        validated=Path("valid.json"),
        metrics_data=Path("metrics.json"),
    )


@pytest.mark.parametrize(
    ("write", "written"),
    [(write_coco, as_top_left), (write_yolo, as_centre), (write_csv, as_corners), (write_voc, as_corners)],
)
def test_boxes_in_the_convention_of_their_format_pass(here, write, written):
    gate(write(written), max_fixed_fraction=0.0)


@pytest.mark.parametrize(
    ("write", "written", "reading"),
    [
        (write_coco, as_corners, "corners (xmin, ymin, xmax, ymax), not x, y, width, height"),
        (write_coco, as_centre, "centre x, centre y, width, height, not the top left corner and the size"),
        (write_coco, y_first(as_top_left), "y before x"),
        (write_yolo, as_corners, "corners (xmin, ymin, xmax, ymax), not centre x, centre y, width, height"),
        (write_yolo, as_top_left, "the top left corner and the size, not centre x, centre y, width, height"),
        (write_csv, y_first(as_corners), "y before x"),
        (write_voc, y_first(as_corners), "y before x"),
        (write_csv, as_centre, "centre x, centre y, width, height, not corners"),
        (write_voc, as_centre, "centre x, centre y, width, height, not corners"),
    ],
)
def test_boxes_in_another_convention_stop_the_run_and_it_is_named(here, write, written, reading):
    source = write(written)
    with pytest.raises(DataError, match=r"boxes_look_misread 1") as raised:
        gate(source)
    assert f"read as {reading}, " in str(raised.value)
    gate(source, policy={"boxes_look_misread": "keep"})


@pytest.mark.parametrize("write", [write_csv, write_voc])
def test_corners_written_as_sizes_are_named_as_before(here, write):
    with pytest.raises(DataError, match="boxes_look_like_xywh 1"):
        gate(write(as_top_left))


def test_boxes_drawn_past_the_edge_by_hand_are_not_taken_for_misread(here):
    boxes = [("cat", [-1, 5, 20, 30]), ("cat", [40, 20, 65, 40])] * 5
    assert find_misread_boxes([ingested(*boxes)], "photos") == []


def test_boxes_of_which_no_reading_fits_are_cut_and_counted(here):
    boxes = [("cat", [10 + i, 20, 90 + i, 40]) for i in range(6)] + [("cat", [1, 2, 30, 40])]
    with pytest.raises(
        DataError, match="6 of 7 boxes were cut at the edge of their image or had their corners swapped"
    ):
        run(photo("a.jpg", *boxes), max_fixed_fraction=0.8)
    assert run(photo("a.jpg", *boxes), max_fixed_fraction=0.9)[1]["fixed_boxes"] == 6


def test_boxes_written_in_fractions_do_not_count_as_mended(here):
    boxes = [("cat", [0.1, 0.1, 0.5 + i / 100, 0.9]) for i in range(5)]
    assert run(photo("a.jpg", *boxes), max_fixed_fraction=0.0)[1]["fixed_boxes"] == 5


def ingested(*objects):
    Image.new("RGB", (64, 48)).save("photos/a.jpg")
    return ingested_image("a.jpg", *objects)
