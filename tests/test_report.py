import base64
import io
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.annotation.dataset import Dataset, Problem
from tasks.errors import DataError, FormatError
from tasks.files import write_json
from tasks.formats.coco import write_coco
from tasks.metrics.analysis import analysis
from tasks.metrics.coco import matched
from tasks.report_page import curves, dealt, gallery
from tasks.report_page.outcomes import Outcomes, outcomes
from tasks.report_page.page import change, figure, percent, whole
from tests.report_run import ELSEWHERE, HOSTILE, SQUARE, Run, annotated, found


def test_the_page_shows_both_models_figures_and_what_they_were_measured_on(tmp_path):
    run = Run(tmp_path)
    metrics = json.loads((tmp_path / "evaluate.json").read_text())
    metrics["tflite"].update({"mAP": 0.625})
    write_json(tmp_path / "evaluate.json", metrics)
    page = run.page()
    assert "Scored on 2 test images with 2 boxes" in page.text
    assert "mAP SavedModel 1.000 TFLite 0.625" in " ".join(re.sub(r"<[^>]+>", " ", page.html).split())
    assert "differs from the SavedModel by \u22120.375 mAP" in page.text


def test_the_page_asks_for_nothing_from_outside(tmp_path):
    run = Run(tmp_path)
    run.curve("train/loss", [(1, 2.0), (2, 1.0)])
    page = run.page()
    for _, attributes in page.elements:
        for key in ("src", "href", "xlink:href", "action", "srcset", "poster", "data"):
            assert attributes.get(key, "#").startswith(("#", "data:"))
    assert "url(" not in re.sub(r"url\(#[^)]*\)", "", page.html)
    assert "@import" not in page.html
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_the_page_is_well_formed_and_every_id_is_unique_and_every_link_lands(tmp_path):
    run = Run(tmp_path)
    for name in ("train/loss", "train/learning_rate", "val/mAP"):
        run.curve(name, [(1, 0.5), (2, 0.25), (3, 0.125)])
    page = run.page()
    assert page.open == []
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    assert [name for name, count in ids.items() if count > 1] == []
    links = {attributes["href"][1:] for _, attributes in page.elements if attributes.get("href", "").startswith("#")}
    assert links <= set(ids)
    assert len(page.all("svg", role="img")) == 4 + 1 + 2  # four curves, the box sizes, two pictures


def test_equal_input_gives_an_equal_page(tmp_path):
    run = Run(tmp_path)
    run.curve("train/loss", [(i, 1 / i) for i in range(1, 60)])
    first = run.page().html
    assert run.page().html == first


@pytest.mark.parametrize(
    "name", [HOSTILE, "</style><img src=x onerror=alert(1)>", "{{ 7 * 7 }}", "$\\frac{", "_all", "a" * 3000, "\ud800"]
)
def test_hostile_names_are_shown_and_do_nothing(tmp_path, name):
    # A lone surrogate cannot be written as UTF-8, but JSON can bring it in.
    given = "lone" if name == "\ud800" else name
    problem = Problem(kind=given, file=given, detail=given, action=given)
    run = Run(tmp_path, classes=(given, "dog"), problems=[problem])
    write_json(tmp_path / "data.json", {"problems": {given: 1}})
    write_json(
        tmp_path / "trained" / "restore.json",
        {"source": given, "modules": [{"module": given, "variables": 1}], "mismatched": [given], "left_over": [given]},
    )
    if name == "\ud800":
        for path in tmp_path.rglob("*.json"):
            path.write_text(path.read_text().replace('"lone"', '"\\ud800"'))
    page = run.page()
    benign = Run(tmp_path, classes=("cat", "dog"), problems=[Problem("a", "b", "c", "d")])
    write_json(
        tmp_path / "trained" / "restore.json",
        {"source": "x", "modules": [{"module": "x", "variables": 1}], "mismatched": ["x"], "left_over": ["x"]},
    )
    write_json(tmp_path / "data.json", {"problems": {"a": 1}})
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in benign.page().elements]
    assert not {attribute for _, attributes in page.elements for attribute in attributes if attribute.startswith("on")}
    assert "\u202e" not in page.html
    shown = name.replace("\n", "\ufffd").replace("\u202e", "\ufffd").replace("\ud800", "\ufffd")
    assert page.text.count(shown) >= 4


def test_no_test_part_of_few_images_is_not_asked_for_on_the_page(tmp_path):
    text = Run(tmp_path, tests=0).page().text
    assert "No figures could be had: 3 images are too few to cut a test part from. See docs/few-images.md" in text
    assert "Set split.test_fraction" not in text


def test_an_empty_test_part_gives_a_page_that_says_no_figures_could_be_had(tmp_path):
    run = Run(tmp_path, tests=0)
    write_coco(
        Dataset(tmp_path, ("cat", "dog"), [annotated(f"{i}.jpg") for i in range(16)]), tmp_path / "splits/train.json"
    )
    page = run.page()
    assert "No figures could be had: the test part holds no images. Set split.test_fraction" in page.text
    assert "No pictures" in page.text
    assert page.all("figure") == []
    assert page.all("span", **{"class": "bar"}) == []


def test_test_images_without_a_box_give_a_page_that_says_so(tmp_path):
    run = Run(tmp_path)
    run.test = Dataset(run.test.root, run.test.classes, (annotated("3.jpg", (), ()),))
    write_coco(run.test, tmp_path / "splits" / "test.json")
    run.detect([found((SQUARE, "cat", 0.9))])
    page = run.page()
    assert "the test images hold no boxes" in page.text
    assert "0 objects: 0 found, 0 missed, 1 false" in page.text


def test_whatever_a_run_did_not_record_is_a_sentence_or_a_dash(tmp_path):
    run = Run(tmp_path)
    write_json(tmp_path / "train.json", {})
    write_json(tmp_path / "data.json", {})
    (tmp_path / "plots" / "precision_recall.json").unlink()
    page = run.page()
    for sentence in (
        "The training run recorded no loss.",
        "The training run recorded no learning rate.",
        "The training run recorded no validation mAP.",
        "The evaluation recorded no precision-recall curve.",
        "The training run left no record of what the checkpoint filled",
        "What was frozen is not recorded.",
        "No problems: every image and every box went through as it was.",
    ):
        assert sentence in page.text


def test_metrics_without_figures_give_a_page_without_figures(tmp_path):
    run = Run(tmp_path)
    write_json(tmp_path / "evaluate.json", {"images": 2, "saved_model": None})
    assert "No figures could be had: the evaluation holds none." in run.page().text


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("evaluate.json", DataError, "evaluate.json: no such file; run `dvc repro`"),
        ("splits/test.json", DataError, "test.json: no such file"),
        ("detections/saved_model.json", DataError, "saved_model.json: no such file"),
    ],
)
def test_a_missing_input_is_named(tmp_path, name, error, message):
    run = Run(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(error, match=re.escape(message)):
        run.report()
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("content", ["{", "[]", "\xff"], ids=["cut short", "a list", "not UTF-8"])
def test_a_metrics_file_that_is_none_is_named(tmp_path, content):
    run = Run(tmp_path)
    (tmp_path / "train.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(FormatError, match=r"train\.json: (not JSON|expected a JSON object)"):
        run.report()


def test_the_gallery_draws_what_is_above_the_threshold_and_says_what_was_missed(tmp_path):
    run = Run(tmp_path)
    run.detect([found((SQUARE, "cat", 0.9), (ELSEWHERE, "dog", 0.5)), found((SQUARE, "cat", 0.1))])
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
    assert "4 of 12 test images, taken evenly" in page.text
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
    monkeypatch.setattr("tasks.report._MOST_PAGE_BYTES", sum(full) // 4)
    fitted = [len(picture["src"]) for picture in run.page(thumbnail_px=480).all("img")]
    assert len(fitted) == 3
    assert sum(full) // 16 < sum(fitted) <= sum(full) // 4
    # However little room there is, a picture stays one that can be recognised.
    monkeypatch.setattr("tasks.report._MOST_PAGE_BYTES", 0)
    smallest = [picture["src"].split(",")[1] for picture in run.page(thumbnail_px=480).all("img")]
    assert {max(Image.open(io.BytesIO(base64.b64decode(jpeg))).size) for jpeg in smallest} == {96}


def test_what_the_evaluation_looked_into_is_on_the_page(tmp_path):
    run = Run(tmp_path, tests=4)
    detections = [found((SQUARE, "cat", 0.9)), found((SQUARE, "dog", 0.8)), found((ELSEWHERE, "cat", 0.7)), found()]
    run.detect(detections)
    write_json(
        tmp_path / "detections" / "analysis.json",
        analysis(run.test, detections, matched(run.test, detections), 0.5),
    )
    page = run.page()
    (clicks,) = [[cell["data-pictures"] for cell in page.all("button") if "data-pictures" in cell]]
    # Row cat: found as cat, as dog, missed twice; on nothing: one cat. The picture without a mistake comes last.
    assert [len(places.split()) for places in clicks] == [1, 1, 2, 1]
    assert clicks[0] == "3"
    assert {"classification", "background", "missed"} <= {
        button["data-show-kind"] for button in page.all("button") if "data-show-kind" in button
    }
    assert "all classes 0.333 0.250" in " ".join(re.sub(r"<[^>]+>", " ", page.html).split())


def test_an_analysis_that_lacks_things_leaves_their_place_empty(tmp_path):
    run = Run(tmp_path)
    for content in ({}, {"confusion": {"classes": ["cat"]}, "mistakes": 3, "at_threshold": [], "by_iou": {}}):
        write_json(tmp_path / "detections" / "analysis.json", content)
        assert "recorded no score at which detections count" in run.page().text


def test_an_image_that_has_gone_since_is_said_in_its_place(tmp_path):
    run = Run(tmp_path)
    (tmp_path / "images" / "3.jpg").unlink()
    (tmp_path / "images" / "4.jpg").write_bytes(b"\xff\xd8 broken")
    page = run.page()
    assert page.text.count("the image file could not be read") == 2
    assert len(page.all("figure")) == 2


@pytest.mark.parametrize(
    ("metrics", "sentence"),
    [
        ({"frozen_variables": 0, "trainable_variables": 1366}, "Nothing was frozen: all 1 366 variables were trained."),
        (
            {"frozen_variables": 3, "trainable_variables": 7, "frozen_max_abs_change": 0.0},
            "3 variables were frozen and 7 trained. Compared before and after: no frozen value changed.",
        ),
        ({"frozen_variables": ["a", "b"], "frozen_max_abs_change": 0.5}, "one of them changed by 0.500000"),
        ({"frozen_variables": 1, "frozen_max_abs_change": 1e-9}, "one of them changed by"),
    ],
    ids=["nothing", "three that stayed", "two that moved", "one that moved a little"],
)
def test_the_page_says_what_was_frozen_and_whether_it_held(tmp_path, metrics, sentence):
    run = Run(tmp_path)
    write_json(tmp_path / "train.json", metrics)
    assert sentence in run.page().text


def test_the_checkpoint_table_counts_what_was_restored(tmp_path):
    run = Run(tmp_path)
    write_json(
        tmp_path / "trained" / "restore.json",
        {
            "source": "imagenet",
            "modules": [
                {"module": "backbone", "variables": 260, "restored": 260, "new": 0, "mismatched": 0},
                {"module": "heads", "variables": 10, "restored": 0, "new": 8, "mismatched": 2},
            ],
            "mismatched": [
                "heads/kernel: trained for other classes",
                "heads/bias: (2,) in the base, (3,) in the model",
            ],
            "left_over": ["model/second_head/bias"],
        },
    )
    page = run.page()
    assert (
        "Weights came from imagenet. They filled 260 of 270 variables; 8 began new and 2 of the checkpoint did not fit."
        in page.text
    )
    assert "did not fit, and why (2) heads/kernel: trained for other classes" in page.text
    assert "Variables of the checkpoint that this model does not have (1) model/second_head/bias" in page.text


def test_what_was_found_before_training_is_told_with_its_remedy(tmp_path):
    run = Run(tmp_path)
    assert "params.yaml, the model and the training data go together" in run.page().text
    finding = {"level": "warning", "key": "train.steps", "value": "3", "why": "<few>", "remedy": "more"}
    write_json(tmp_path / "lint.json", [finding, {"level": "info", "key": "the val part"}])
    text = run.page().text
    assert "train.steps3warning<few>more the val part\u2013info\u2013" in text.replace(" \u2013", "\u2013")
    assert "go together" not in text


def test_the_split_table_counts_images_and_boxes_by_class_and_part(tmp_path):
    parts = {
        "train": Dataset(tmp_path, ("cat", "dog"), (annotated("a", [SQUARE, ELSEWHERE], ["cat", "cat"]),)),
        "test": Dataset(tmp_path, ("cat", "dog"), (annotated("b"), annotated("c", (), ()))),
    }
    rows = dealt.split_rows(parts, {})
    assert [(row["name"], row["parts"]) for row in rows] == [
        ("all", [(1, 2), (2, 1)]),
        ("cat", [(1, 2), (1, 1)]),
        ("dog", [(0, 0), (0, 0)]),
    ]


def test_what_looks_alike_across_the_parts_is_told(tmp_path):
    project = Run(tmp_path)
    assert "was not recorded" in project.page().text
    leaks = [{"train": f"t{i}.jpg", "test": "<b>.jpg", "same_content": i == 0, "differing_bits": i} for i in range(12)]
    (tmp_path / "splits" / "leaks.json").write_text(json.dumps(leaks))
    text = project.page().text
    assert "12 pairs of images look alike" in text
    assert "t0.jpg (train), <b>.jpg (test): the same content" in text
    assert "t9.jpg (train), <b>.jpg (test): 9 of 256 bits differ" in text
    assert "t10.jpg" not in text
    (tmp_path / "splits" / "leaks.json").write_text("[]")
    text = project.page().text
    assert "were kept together." in text
    assert "in no part" not in text


def test_images_in_no_part_are_told_with_what_they_look_like(tmp_path):
    project = Run(tmp_path)
    rows = [
        {
            "image": f"t{i}.jpg",
            "given_part": "train",
            "like": "<b>.jpg",
            "like_in": "test",
            "same_content": i == 0,
            "differing_bits": i,
        }
        for i in range(12)
    ]
    (tmp_path / "splits" / "leaks.json").write_text("[]")
    (tmp_path / "splits" / "dropped.json").write_text(json.dumps(rows))
    text = project.page().text
    assert "were kept together, or left out." in text
    assert "12 images are in no part, because they look like images in test or val" in text
    assert "t0.jpg (train) like <b>.jpg (test): the same content" in text
    assert "t9.jpg (train) like <b>.jpg (test): 9 of 256 bits differ" in text
    assert "t10.jpg" not in text
    assert "Boxes that passed and are in no part (12 images" in text


@pytest.mark.parametrize(
    ("image", "detections", "expected", "met"),
    [
        (annotated("a"), found((SQUARE, "cat", 0.9), (SQUARE, "cat", 0.8)), ["found", "duplicate"], {0: 0.9}),
        (annotated("a"), found((SQUARE, "cat", 0.8), (SQUARE, "cat", 0.9)), ["duplicate", "found"], {0: 0.9}),
        (annotated("a"), found((SQUARE, "dog", 0.9)), ["classification"], {}),
        (annotated("a"), found(([10, 10, 50, 29], "cat", 0.9)), ["localisation"], {}),
        (annotated("a"), found(([10, 10, 50, 29], "dog", 0.9)), ["both"], {}),
        (annotated("a", crowd={0}), found(([20, 20, 30, 30], "cat", 0.9)), ["ignored"], {}),
        (annotated("a", crowd={0}), found(([45, 20, 65, 30], "cat", 0.9)), ["background"], {}),
        (annotated("a", (), ()), found((SQUARE, "cat", 0.9)), ["background"], {}),
        (annotated("a"), found(), [], {}),
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
    every = [found((SQUARE, "cat", 0.5)), detections]
    before, own = outcomes(truth, every, matched(truth, every))
    assert before == Outcomes(["found"], {0: 0.5})
    assert own == Outcomes(expected, met)


def test_the_gallery_takes_images_evenly_from_first_to_last():
    assert gallery.spread(10, 4) == [0, 3, 6, 9]
    assert gallery.spread(3, 60) == [0, 1, 2]
    assert gallery.spread(0, 60) == gallery.spread(10, 0) == []
    assert gallery.spread(10, 1) == [0]


def test_a_curve_is_read_in_step_order_and_the_last_of_equal_steps_counts(tmp_path):
    path = tmp_path / "loss.tsv"
    path.write_text("step\tloss\n2\t0.5\n1\t0.9\n3\tnan\n2\t0.4\n")
    assert curves.read_curve(path) == [(1.0, 0.9), (2.0, 0.4)]
    assert curves.read_curve(tmp_path / "absent.tsv") == []


@pytest.mark.parametrize("content", ["step\tother\n1\t2\n", "step\tloss\none\ttwo\n", "step\tloss\n1\n", "\xff\xfe"])
def test_a_table_that_is_no_curve_is_named(tmp_path, content):
    path = tmp_path / "loss.tsv"
    path.write_bytes(content.encode("latin-1"))
    if content == "\xff\xfe":
        path.write_bytes(b"step\tloss\n1\t\xff\n")
    with pytest.raises(FormatError, match=r"loss\.tsv: not a table with the columns step and loss"):
        curves.read_curve(path)


@pytest.mark.parametrize(
    "points", [[(1, 0.0)], [(1, 0.5)], [(1, -1.0), (2, 3.0)], [(i, 1 / (i + 1)) for i in range(5000)]]
)
def test_a_curve_of_any_length_is_drawn_in_the_pages_colours(points):
    svg = curves.curve_svg(points, "loss", label='Loss "over" steps', colour="#e69f00", noisy=True, mark_step=1)
    assert svg.startswith('<svg class="plot" role="img" aria-label="Loss &#34;over&#34; steps"')
    assert "#e69f00" in svg
    assert "currentColor" in svg
    assert "#010203" not in svg
    assert not re.search(r"<metadata|<dc:date|20\d\d-", svg)
    assert len(svg) < 80_000


def test_the_audit_of_freezing_is_a_table_by_module(tmp_path):
    run = Run(tmp_path)
    row = {"module": "backbone block 0", "parameters": 1500, "frozen_parameters": 1500, "trained": 0, "frozen": 9,
           "frozen_max_abs_change": 0.0, "frozen_statistics_max_abs_change": 0.25}  # fmt: skip
    heads = {"module": "class_head", "parameters": 7, "frozen_parameters": 0, "trained": 2, "frozen": 0,
             "unchanged": 1, "trained_max_abs_change": 0.5}  # fmt: skip
    write_json(tmp_path / "trained" / "freeze.json", [row, heads, "no row"])
    text = " ".join(run.page().text.split())
    dash = "\u2013"
    assert f"backbone block 01 5001 50009{dash}0.00000.2500" in text
    assert f"class_head70200.5000 (1 did not change){dash}{dash}" in text


def test_precision_rows_that_are_none_are_named(tmp_path):
    run = Run(tmp_path)
    write_json(tmp_path / "plots" / "precision_recall.json", [{"class": "all"}])
    with pytest.raises(FormatError, match=r"precision_recall\.json: not rows of class, recall, precision"):
        run.report()


def test_the_page_has_no_dependence_on_where_it_was_made(tmp_path):
    run = Run(tmp_path)
    assert str(tmp_path) not in run.page().html


def test_numbers_are_shown_short_and_what_is_none_as_a_dash():
    assert [figure(value) for value in (0.12345, 1, None, "x", float("nan"), True)] == [
        "0.123",
        "1.000",
        *["\u2013"] * 4,
    ]
    assert [change(value) for value in (0.1, -0.1, 0.0001, None)] == ["+0.100", "\u22120.100", "±0", "\u2013"]
    assert [percent(value) for value in (0.5, 7, -1, None)] == ["50.0%", "100.0%", "0.0%", "0.0%"]
    assert [whole(value) for value in (1234567.0, 0, None)] == ["1\u202f234\u202f567", "0", "\u2013"]


def test_the_report_says_where_it_is_and_replaces_the_one_before(tmp_path):
    run = Run(tmp_path)
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "old.html").write_text("old")
    figures = run.report()
    assert Path(figures["page"]).is_file()
    assert figures["pictures"] == 2
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["index.html"]


def test_curves_stand_in_numbers_too(tmp_path):
    assert curves.numbers_of([(float(step), step / 2) for step in range(1, 26)])[-2:] == [
        (23.0, [11.5]),
        (25.0, [12.5]),
    ]
    assert len(curves.numbers_of([(float(step), 0.0) for step in range(300)])) == 10
    run = Run(tmp_path)
    run.curve("val/mAP", [(100, 0.25), (200, 0.5)])
    text = " ".join(re.sub(r"<[^>]+>", " ", run.page().html).split())
    assert "In numbers step Validation mAP 100 0.2500 200 0.5000" in text
    assert re.search(r"In numbers recall all cat .*0\.0 1\.000 1\.000", text)
