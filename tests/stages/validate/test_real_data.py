"""Stage validate: the real data sets, where they are beside the repository."""

import json
from pathlib import Path

import pytest

from tasks.params import IngestParams
from tasks.stages.ingest import ingest
from tasks.stages.validate import validate
from tests.real_data import DATASETS, needs_datasets
from tests.stages.validate.gated import MODEL, PARAMS


@needs_datasets
@pytest.mark.parametrize(
    ("source", "images", "boxes", "problems"),
    [
        ("guns", 333, 428, {"box_partly_outside": 1, "copies_annotated_differently": 31}),
        ("bccd/test.csv", 364, 4886, {"size_missing": 364, "tiny_box": 2}),
        (
            "ppe_covid", 416, 1970,
            {
                "missing_image": 1, "box_of_dropped_image": 6, "not_rgb": 5, "size_missing": 1,
                "wrong_extension": 1, "copies_annotated_differently": 6, "box_below_resolution": 4,
            },
        ),
        ("ducky/train.csv", 5, 5, {"image_without_annotation": 49}),
    ],
    ids=["guns", "bccd", "ppe_covid", "ducky"],
)  # fmt: skip
def test_real_data_passes_with_its_known_faults(here, source, images, boxes, problems):
    folder = DATASETS / source.split("/")[0]
    params = IngestParams(source=DATASETS / source, images=folder, format="auto", columns={})
    ingest(params, ingested=Path("ingested.json"))
    strict = PARAMS.model_copy(update={"max_image_megapixels": 100, "max_dropped_fraction": 0.05})
    validate(
        strict, MODEL, ingested=Path("ingested.json"), validated=Path("valid.json"), metrics_data=Path("metrics.json")
    )
    figures = json.loads(Path("metrics.json").read_text())
    assert (figures["images"], figures["boxes"]) == (images, boxes)
    assert figures["problems"] == problems
