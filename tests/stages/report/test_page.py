"""The report page as a whole: its figures, hostile names, and inputs that lack something."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tasks.artifacts.analysis import write_analysis
from tasks.artifacts.speed import ModelSpeed, Speed, write_speed
from tasks.artifacts.training import RestoredComponent, RestoreSummary, write_restore_summary
from tasks.dataset.coco_json import write_coco
from tasks.dataset.dataset import Dataset, Problem
from tasks.errors import DataError, FormatError
from tasks.ground.files import write_json
from tasks.metrics.analysis import analysis
from tasks.metrics.matching import match_detections
from tests.metrics.cases import detect
from tests.stages.report.report_run import ELSEWHERE, HOSTILE, SQUARE, Run, annotated


def test_the_page_shows_the_figures_of_both_models_and_how_many_images_they_are_of(tmp_path):
    run = Run(tmp_path)
    run.evaluate([detect((SQUARE, "cat", 0.9))] * 2, tflite={"mean_ap": 0.625})
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


def restored_from(name):
    component = RestoredComponent(module=name, variables=1, restored=1, new=0, mismatched=0)
    return RestoreSummary(source=name, modules=[component], mismatched=[name], left_over=[name])


@pytest.mark.parametrize(
    "name", [HOSTILE, "</style><img src=x onerror=alert(1)>", "{{ 7 * 7 }}", "$\\frac{", "_all", "a" * 3000, "\ud800"]
)
def test_hostile_names_are_shown_and_do_nothing(tmp_path, name):
    # A lone surrogate cannot be written as UTF-8, but JSON can bring it in.
    given = "lone" if name == "\ud800" else name
    problem = Problem(kind=given, file=given, detail=given, action=given)
    run = Run(tmp_path, classes=(given, "dog"), problems=[problem])
    write_json(tmp_path / "data.json", {"problems": {given: 1}})
    write_restore_summary(tmp_path / "trained", restored_from(given))
    if name == "\ud800":
        for path in tmp_path.rglob("*.json"):
            path.write_text(path.read_text().replace('"lone"', '"\\ud800"'))
    page = run.page()
    benign = Run(tmp_path, classes=("cat", "dog"), problems=[Problem("a", "b", "c", "d")])
    write_restore_summary(tmp_path / "trained", restored_from("x"))
    write_json(tmp_path / "data.json", {"problems": {"a": 1}})
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in benign.page().elements]
    assert not {attribute for _, attributes in page.elements for attribute in attributes if attribute.startswith("on")}
    assert "\u202e" not in page.html
    shown = name.replace("\n", "\ufffd").replace("\u202e", "\ufffd").replace("\ud800", "\ufffd")
    assert page.text.count(shown) >= 4


def test_few_images_without_a_test_split_are_sent_to_their_own_page(tmp_path):
    text = Run(tmp_path, tests=0).page().text
    assert "There are no figures: 3 images are too few to set a test split aside. See docs/few-images.md" in text
    assert "Set split.test_fraction" not in text


def test_an_empty_test_split_gives_a_page_without_figures_that_says_why(tmp_path):
    run = Run(tmp_path, tests=0)
    write_coco(
        Dataset(tmp_path, ("cat", "dog"), tuple(annotated(f"{i}.jpg") for i in range(16))),
        tmp_path / "splits/train.json",
    )
    page = run.page()
    assert "There are no figures: the test split holds no images. Set split.test_fraction" in page.text
    assert "No pictures" in page.text
    assert page.all("figure") == []
    assert page.all("span", **{"class": "bar"}) == []


def test_test_images_without_a_box_give_a_page_that_says_so(tmp_path):
    run = Run(tmp_path)
    run.test = Dataset(run.test.root, run.test.classes, (annotated("3.jpg", (), ()),))
    write_coco(run.test, tmp_path / "splits" / "test.json")
    run.detect([detect((SQUARE, "cat", 0.9))])
    page = run.page()
    assert "the test images hold no boxes" in page.text
    assert "0 objects: 0 found, 0 missed, 1 false" in page.text


def test_a_missing_record_is_a_sentence_or_a_dash(tmp_path):
    run = Run(tmp_path)
    write_json(tmp_path / "data.json", {})
    (tmp_path / "plots" / "precision_recall.json").unlink()
    page = run.page()
    for sentence in (
        "The training run recorded no loss.",
        "The training run recorded no learning rate.",
        "The training run recorded no validation mAP.",
        "The evaluation recorded no precision-recall curve.",
        "The training run left no record of what the checkpoint filled",
        "No problems: every image and every box passed unchanged.",
    ):
        assert sentence in page.text


def test_metrics_without_figures_give_a_page_without_figures(tmp_path):
    run = Run(tmp_path)
    write_json(tmp_path / "evaluate.json", {"images": 2})
    assert "There are no figures: the evaluation recorded none." in run.page().text


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


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("ingested.json", "ingest"),
        ("validated.json", "validate"),
        ("splits/val.json", "split"),
        ("splits/leaks.json", "split"),
        ("detections/saved_model.json", "evaluate"),
        ("evaluate.json", "evaluate"),
    ],
)
@pytest.mark.parametrize("content", ["{", '{"images": 1}'], ids=["cut short", "other keys"])
def test_a_damaged_file_is_named_with_the_stage_that_makes_it_anew(tmp_path, name, stage, content):
    run = Run(tmp_path)
    if content != "{" and name == "evaluate.json":
        content = '{"images": "x"}'
    (tmp_path / name).write_text(content)
    with pytest.raises(FormatError, match=rf"{Path(name).name}: .*stage {stage} .*`dvc repro -f -s {stage}`"):
        run.report()
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("content", ["{", "[]", "\xff"], ids=["cut short", "a list", "not UTF-8"])
def test_a_damaged_metrics_file_is_named(tmp_path, content):
    run = Run(tmp_path)
    (tmp_path / "train.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(FormatError, match=r"train\.json: (not a JSON file|not what the train stage writes)"):
        run.report()


def test_the_page_shows_operating_points_mistakes_and_the_confusion_matrix(tmp_path):
    run = Run(tmp_path, tests=4)
    detections = [
        detect((SQUARE, "cat", 0.9)),
        detect((SQUARE, "dog", 0.8)),
        detect((ELSEWHERE, "cat", 0.7)),
        detect(),
    ]
    run.detect(detections)
    write_analysis(tmp_path / "detections", analysis(run.test, detections, match_detections(run.test, detections), 0.5))
    page = run.page()
    (clicks,) = [[cell["data-pictures"] for cell in page.all("button") if "data-pictures" in cell]]
    # Row cat: found as cat, as dog, missed twice; on nothing: one cat. The picture without a mistake comes last.
    assert [len(places.split()) for places in clicks] == [1, 1, 2, 1]
    assert clicks[0] == "3"
    assert {"classification", "background", "missed"} <= {
        button["data-show-kind"] for button in page.all("button") if "data-show-kind" in button
    }
    assert "all classes 0.333 0.250" in " ".join(re.sub(r"<[^>]+>", " ", page.html).split())


def test_an_analysis_of_an_older_version_leaves_empty_what_it_lacks(tmp_path):
    run = Run(tmp_path)
    for content in ({}, {"mistakes": {"missed": {"count": 2}}, "at_threshold": {}, "intervals": {"mAP": None}}):
        write_json(tmp_path / "detections" / "analysis.json", content)
        assert "recorded no score from which detections count" in run.page().text


def test_a_damaged_analysis_is_named(tmp_path):
    run = Run(tmp_path)
    write_json(tmp_path / "detections" / "analysis.json", {"mistakes": 3})
    with pytest.raises(FormatError, match=r"analysis\.json: not what the evaluate stage writes: mistakes"):
        run.report()


def test_the_page_shows_the_speed_that_it_finds(tmp_path):
    run = Run(tmp_path)
    assert "Size and speed" not in run.page().text
    write_speed(
        tmp_path / "speed.json", Speed(machine="a toaster", models={"int8": ModelSpeed(size_mb=1.5, latency_ms=20.25)})
    )
    text = " ".join(re.sub(r"<[^>]+>", " ", run.page().html).split())
    assert "on a toaster MB" in text
    assert "int8 1.5 20 \u2013" in text


def test_the_page_does_not_depend_on_where_it_was_made(tmp_path):
    run = Run(tmp_path)
    assert str(tmp_path) not in run.page().html


def test_the_stage_returns_the_path_of_the_page_replaces_an_older_one_and_leaves_what_commands_wrote(tmp_path):
    run = Run(tmp_path)
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "index.html").write_text("old")
    (tmp_path / "report" / "review.html").write_text("of a command")
    figures = run.report()
    assert figures["page"] == str(tmp_path / "report" / "index.html")
    assert Path(figures["page"]).read_text(encoding="utf-8") != "old"
    assert figures["pictures"] == 2
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["index.html", "review.html"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"counts": [[1, 0, 0], [0, 1], [0, 0, 0]]}, "3 rows of 3 counts belong to 2 classes, but they have 3, 2, 3"),
        ({"counts": [[1, 0], [0, 1]]}, "but they have 2, 2"),
        ({"counts": []}, "3 rows of 3 counts"),
        ({"images": [{"annotated": 3, "detected": 0, "images": []}]}, "a cell that is not in its 3 rows and columns"),
        ({"images": [{"annotated": 0, "detected": -1, "images": []}]}, "a cell that is not in"),
    ],
    ids=["a short row", "no background", "no rows", "a cell beyond", "a negative cell"],
)
def test_a_confusion_matrix_that_is_not_of_its_classes_is_named(tmp_path, changes, message):
    run = Run(tmp_path)
    matrix = {"classes": ["cat", "dog"], "counts": [[1, 0, 0]] * 3, **changes}
    write_json(tmp_path / "detections" / "analysis.json", {"confusion": matrix})
    with pytest.raises(FormatError, match=rf"analysis\.json: .*confusion: .*{message}.*`dvc repro -f -s evaluate`"):
        run.report()
