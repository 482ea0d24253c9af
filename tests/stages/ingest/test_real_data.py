"""Stage ingest: the real data sets, where they are beside the repository."""

import pytest

from tests.real_data import DATASETS, needs_datasets
from tests.stages.ingest.sources import run


@needs_datasets
@pytest.mark.parametrize(
    ("source", "images", "boxes", "kinds"),
    [
        ("guns", 333, 428, set()),
        ("ppe_covid", 416, 1970, {"missing_image", "box_of_dropped_image"}),
        ("bccd/annotations", 364, 4888, set()),
        ("bccd/test.csv", 364, 4888, set()),
        ("ducky/train.csv", 5, 5, {"image_without_annotation"}),
    ],
)
def test_real_data_is_ingested_whole(here, source, images, boxes, kinds):
    folder = source.split("/")[0]
    dataset, figures = run(DATASETS / source, DATASETS / folder)
    assert (figures["images"], figures["boxes"]) == (images, boxes)
    assert {problem.kind for problem in dataset.problems} == kinds
    assert all(dataset.image_path(image).is_file() for image in dataset.images)


@needs_datasets
def test_both_formats_of_the_blood_smears_hold_the_same_boxes(here):
    voc, _ = run(DATASETS / "bccd/annotations", DATASETS / "bccd")
    from_csv, _ = run(DATASETS / "bccd/test.csv", DATASETS / "bccd")
    for a, b in zip(voc.images, from_csv.images, strict=True):
        assert (a.file_name, a.sha256) == (b.file_name, b.sha256)
        objects = [sorted(zip(image.classes, image.boxes.tolist(), strict=True)) for image in (a, b)]
        assert objects[0] == objects[1]
