"""What is said of whole images goes from the annotations to the splits, whatever the format."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.dataset.split_files import read_coco_splits
from tasks.errors import DataError
from tasks.params import SplitParams
from tasks.stages.split import split
from tasks.stages.validate import validate
from tests.stages.ingest.sources import run
from tests.stages.validate.gated import MODEL, PARAMS

HEADER = "filename,class,xmin,ymin,xmax,ymax,camera\n"
SPLIT = SplitParams(
    seed=1,
    val_fraction=0.2,
    test_fraction=0.3,
    near_duplicate_distance=0,
    frame_run_distance=0,
    author_split="keep",
)


def noise(path):
    pixels = np.random.default_rng(len(list(Path("data").rglob("*")))).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def table(rows):
    Path("data").mkdir(exist_ok=True)
    for name, _ in rows:
        noise(Path("data") / name)
    Path("data/labels.csv").write_text(HEADER + "".join(f"{name},cat,1,2,30,40,{camera}\n" for name, camera in rows))


def test_a_column_survives_the_gate_and_the_split(here):
    camera_of = {f"{i:02d}.png": ("north", "south", "")[i % 3] for i in range(20)}
    table(camera_of.items())
    run("data/labels.csv", "data", columns={"slice": "camera"})
    validate(
        PARAMS,
        MODEL,
        ingested=Path("out/annotations.json"),
        validated=Path("valid.json"),
        metrics_data=Path("data.json"),
    )
    split(
        SPLIT,
        validated=Path("valid.json"),
        splits=Path("splits"),
        metrics_split=Path("split.json"),
        plots_data=Path("plots"),
        split_memory=Path("memory.json"),
    )
    read = {
        image.file_name: image.slices.get("camera", "")
        for part in read_coco_splits(Path("splits")).values()
        for image in part.images
    }
    assert read == camera_of


def test_several_columns_and_several_files(here):
    table([("a.png", "north")])
    Path("data/more.csv").write_text("filename,class,xmin,ymin,xmax,ymax,camera,day\nb.png,cat,1,2,30,40,south,3\n")
    noise(Path("data/b.png"))
    Path("data/labels.csv").write_text(HEADER.replace("camera", "camera,day") + "a.png,cat,1,2,30,40,north,2\n")
    dataset, _ = run("data", columns={"slice": ["camera", "day"]})
    assert [image.slices for image in dataset.images] == [
        {"camera": "north", "day": "2"},
        {"camera": "south", "day": "3"},
    ]


def test_a_column_that_is_not_there_stops_ingest(here):
    table([("a.png", "north")])
    with pytest.raises(DataError, match=r"no column 'site', which ingest\.columns\.slice names"):
        run("data/labels.csv", "data", columns={"slice": "site"})


def test_coco_files_may_say_it_of_their_images(here):
    noise(Path("data/a.png"))
    entry = {"id": 1, "file_name": "a.png", "width": 64, "height": 48, "slices": {"camera": "north"}}
    row = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40]}
    content = {"images": [entry], "annotations": [row], "categories": [{"id": 1, "name": "cat"}]}
    Path("data/labels.json").write_text(json.dumps(content))
    dataset, _ = run("data/labels.json", "data")
    assert dataset.images[0].slices == {"camera": "north"}
