"""The pictures of the report page: which, how large, and what was found in them."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.dataset.dataset import Dataset
from tasks.metrics.matching import match_detections
from tasks.report_page import gallery
from tasks.report_page.outcomes import Outcomes, outcomes
from tests.metrics.cases import detect
from tests.stages.report.report_run import ELSEWHERE, SQUARE, Run, annotated


def test_the_gallery_draws_what_is_above_the_threshold_and_says_what_was_missed(tmp_path):
    run = Run(tmp_path)
    run.detect([detect((SQUARE, "cat", 0.9), (ELSEWHERE, "dog", 0.5)), detect((SQUARE, "cat", 0.1))])
    page = run.page()
    assert "1 object: 0 found, 1 missed, 0 false" in page.text
    assert "1 object: 1 found, 0 missed, 1 false" in page.text
    assert sorted(marks["data-score"] for marks in page.all("g", **{"class": "dt"})) == ["0.5", "0.9"]
    assert {"x": "10.0", "y": "10.0", "width": "40.0", "height": "40.0", "class": "edge"} in page.all("rect")
    assert all(picture["src"].startswith("data:image/jpeg;base64,/9j/") for picture in page.all("img"))


def test_the_gallery_is_as_large_as_asked(tmp_path):
    run = Run(tmp_path, tests=12)
    page = run.page(gallery_images=4)
    assert len(page.all("figure")) == 4
    assert "4 of 12 test images, evenly chosen" in page.text
    assert len(run.page(gallery_images=0).all("figure")) == 0
    page = run.page(gallery_images=60)
    assert len(page.all("figure")) == 12
    assert "All 12 test images" in page.text


def test_pictures_shrink_until_the_page_is_small_enough(tmp_path, monkeypatch):
    run = Run(tmp_path, tests=3)
    for image in run.test.images:
        noise = np.random.default_rng(1).integers(0, 255, (600, 800, 3), dtype=np.uint8)
        Image.fromarray(noise).save(run.test.image_path(image), format="JPEG")
    full = [len(picture["src"]) for picture in run.page(thumbnail_px=480).all("img")]
    monkeypatch.setattr("tasks.report_page.content.MOST_PAGE_BYTES", sum(full) // 4)
    fitted = [len(picture["src"]) for picture in run.page(thumbnail_px=480).all("img")]
    assert len(fitted) == 3
    assert sum(full) // 16 < sum(fitted) <= sum(full) // 4
    # However few bytes are left, a picture stays recognisable.
    monkeypatch.setattr("tasks.report_page.content.MOST_PAGE_BYTES", 0)
    smallest = [picture["src"].split(",")[1] for picture in run.page(thumbnail_px=480).all("img")]
    assert {max(Image.open(io.BytesIO(base64.b64decode(jpeg))).size) for jpeg in smallest} == {96}


def test_an_image_that_has_gone_since_is_said_in_its_place(tmp_path):
    run = Run(tmp_path)
    (tmp_path / "images" / "3.jpg").unlink()
    (tmp_path / "images" / "4.jpg").write_bytes(b"\xff\xd8 broken")
    page = run.page()
    assert page.text.count("the image file could not be read") == 2
    assert len(page.all("figure")) == 2


@pytest.mark.parametrize(
    ("image", "detections", "expected", "met"),
    [
        (annotated("a"), detect((SQUARE, "cat", 0.9), (SQUARE, "cat", 0.8)), ["found", "duplicate"], {0: 0.9}),
        (annotated("a"), detect((SQUARE, "cat", 0.8), (SQUARE, "cat", 0.9)), ["duplicate", "found"], {0: 0.9}),
        (annotated("a"), detect((SQUARE, "dog", 0.9)), ["classification"], {}),
        (annotated("a"), detect(([10, 10, 50, 29], "cat", 0.9)), ["localisation"], {}),
        (annotated("a"), detect(([10, 10, 50, 29], "dog", 0.9)), ["both"], {}),
        (annotated("a", crowd={0}), detect(([20, 20, 30, 30], "cat", 0.9)), ["ignored"], {}),
        (annotated("a", crowd={0}), detect(([45, 20, 65, 30], "cat", 0.9)), ["background"], {}),
        (annotated("a", (), ()), detect((SQUARE, "cat", 0.9)), ["background"], {}),
        (annotated("a"), detect(), [], {}),
    ],
    ids=[
        "twice",
        "higher score first",
        "other class",
        "IoU below a half",
        "other class and IoU below a half",
        "in a crowd",
        "mostly outside a crowd",
        "no object",
        "no detection",
    ],
)
def test_each_object_is_found_once_by_the_surest_detection_of_its_class(image, detections, expected, met):
    truth = Dataset(Path("images"), ("cat", "dog"), (annotated("before"), image))
    every = [detect((SQUARE, "cat", 0.5)), detections]
    before, own = outcomes(truth, every, match_detections(truth, every))
    assert before == Outcomes(["found"], {0: 0.5})
    assert own == Outcomes(expected, met)


def test_the_gallery_takes_images_evenly_from_first_to_last():
    assert gallery.spread(10, 4) == [0, 3, 6, 9]
    assert gallery.spread(3, 60) == [0, 1, 2]
    assert gallery.spread(0, 60) == gallery.spread(10, 0) == []
    assert gallery.spread(10, 1) == [0]
