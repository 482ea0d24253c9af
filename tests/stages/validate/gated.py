"""Images as they were ingested, and the gate they are led to."""

import json
from pathlib import Path

from PIL import Image

from tasks.dataset.boxes import as_boxes
from tasks.dataset.coco_json import read_coco, write_coco
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.ground.files import sha256_of
from tasks.params import ModelParams, ValidateParams
from tasks.stages.validate import validate

PARAMS = ValidateParams(
    on_problem="fix",
    policy={},
    min_box_side_px=2,
    min_boxes_per_class=1,
    max_dropped_fraction=1.0,
    max_fixed_fraction=1.0,
    max_image_megapixels=1,
)
MODEL = ModelParams(name="ssd_mobilenet_v2_fpnlite_320x320", side_px=None)
CAT = ("cat", [1, 2, 30, 40])


def photo(name="a.jpg", *objects, size=(64, 48), annotated_size=None, mode="RGB", **saving):
    """An image file and what was ingested about it."""
    Image.new(mode, size, 0).save(f"photos/{name}", **saving)
    return ingested_image(name, *objects, size=annotated_size or size)


def ingested_image(name, *objects, size=(64, 48)):
    path = Path(f"photos/{name}")
    n, (width, height) = len(objects), size
    return AnnotatedImage(
        name, width, height, as_boxes([box for _, box in objects]), tuple(kind for kind, _ in objects),
        flags(n), flags(n),
        source=f"{path.stem}.xml", sha256=sha256_of(path),
    )  # fmt: skip


def run(*images, problems=(), classes=None, model=MODEL, **changes):
    classes = classes or tuple(sorted({name for image in images for name in image.classes}))
    write_coco(Dataset(Path("photos"), classes, tuple(images), tuple(problems)), Path("ingested.json"))
    params = PARAMS.model_copy(update=changes)
    validate(
        params, model, ingested=Path("ingested.json"), validated=Path("valid.json"), metrics_data=Path("metrics.json")
    )
    return read_coco(Path("valid.json")), json.loads(Path("metrics.json").read_text())


def problems_of(dataset):
    return [(problem.kind, problem.action) for problem in dataset.problems]
