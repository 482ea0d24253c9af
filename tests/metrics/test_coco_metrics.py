import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tasks.artifacts.evaluation import FIGURES, ClassFigures
from tasks.dataset.boxes import as_boxes
from tasks.dataset.coco_json import write_coco, write_detections
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.errors import EvaluationError
from tasks.metrics.coco import coco_figures, precision_recall
from tests.metrics.cases import dataset, detect

SQUARE = [10.0, 10.0, 50.0, 50.0]  # 40 x 40 px: COCO's "medium"


def annotated(boxes, classes, *, crowd=()):
    return AnnotatedImage(
        file_name="a.jpg",
        width=200,
        height=200,
        boxes=as_boxes(boxes),
        classes=tuple(classes),
        difficult=flags(len(classes)),
        iscrowd=flags(len(classes), (i in crowd for i in range(len(classes)))),
    )


def test_a_perfect_detection_scores_one_and_a_class_without_groundtruth_scores_nothing():
    figures = coco_figures(dataset(annotated([SQUARE], ["cat"])), [detect((SQUARE, "cat", 0.9))])
    measured = ("mAP", "AP50", "AP75", "APmedium", "AR1", "AR10", "AR100", "ARmedium")
    by_name = figures.by_name()
    assert [by_name[name] for name in measured] == pytest.approx([1.0] * 8)
    assert [by_name[name] for name in ("APsmall", "APlarge", "ARsmall", "ARlarge")] == [None] * 4
    assert dict(figures.per_class["cat"]) == pytest.approx({"ap": 1.0, "ap50": 1.0, "ar100": 1.0})
    assert figures.per_class["dog"] == ClassFigures()


def test_a_box_with_iou_of_seven_tenths_counts_at_the_five_lower_thresholds():
    # 28 of the 40 columns: intersection 28 * 40, union 40 * 40, IoU 0.7. A little more, so that rounding cannot decide.
    narrow = [10.0, 10.0, 38.4, 50.0]
    figures = coco_figures(dataset(annotated([SQUARE], ["cat"])), [detect((narrow, "cat", 0.9))])
    assert figures.ap50 == pytest.approx(1.0)
    assert figures.ap75 == 0.0
    assert [figures.mean_ap, figures.ar100] == pytest.approx([0.5, 0.5])


def test_a_more_confident_false_box_halves_the_precision():
    elsewhere = [100.0, 100.0, 140.0, 140.0]
    figures = coco_figures(
        dataset(annotated([SQUARE], ["cat"])), [detect((elsewhere, "cat", 0.9), (SQUARE, "cat", 0.8))]
    )
    assert figures.mean_ap == pytest.approx(0.5)
    assert figures.ar1 == 0.0
    assert figures.ar10 == pytest.approx(1.0)


def test_a_detection_inside_a_crowd_is_neither_right_nor_wrong():
    crowd_box = [100.0, 100.0, 200.0, 200.0]
    truth = dataset(annotated([SQUARE, crowd_box], ["cat", "cat"], crowd={1}))
    inside = [110.0, 110.0, 140.0, 140.0]
    figures = coco_figures(truth, [detect((inside, "cat", 0.95), (SQUARE, "cat", 0.9))])
    assert figures.mean_ap == pytest.approx(1.0)


def test_no_detections_at_all_score_zero():
    truth = dataset(annotated([SQUARE], ["cat"]), annotated([SQUARE], ["dog"]))
    figures = coco_figures(truth, [detect(), detect()])
    assert figures.mean_ap == figures.ar100 == 0.0
    assert figures.per_class["dog"] == ClassFigures(ap=0.0, ap50=0.0, ar100=0.0)


@pytest.mark.parametrize(
    ("truth", "detections"),
    [
        (dataset(), []),
        (dataset(classes=()), []),
        (dataset(annotated([], [])), [detect((SQUARE, "cat", 0.9))]),
        (dataset(annotated([SQUARE], ["cat"], crowd={0})), [detect((SQUARE, "cat", 0.9))]),
    ],
    ids=["no images", "no classes", "no boxes", "crowds only"],
)
def test_without_groundtruth_there_are_no_figures_and_no_curve(truth, detections):
    figures = coco_figures(truth, detections)
    assert figures.by_name() == dict.fromkeys(FIGURES)
    assert all(own == ClassFigures() for own in figures.per_class.values())
    assert precision_recall(truth, detections) == []


def test_figures_are_printed_nowhere(capsys):
    coco_figures(dataset(annotated([SQUARE], ["cat"])), [detect((SQUARE, "cat", 0.9))])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("seed", range(3))
def test_figures_equal_those_of_pycocotools_on_the_files_we_write(tmp_path, seed):
    truth, detections = random_case(seed)
    write_coco(truth, tmp_path / "truth.json")
    write_detections(detections, truth, tmp_path / "found.json")
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(tmp_path / "truth.json"))
        reference = COCOeval(coco, coco.loadRes(str(tmp_path / "found.json")), "bbox")
        reference.evaluate()
        reference.accumulate()
        reference.summarize()
    figures = coco_figures(truth, detections)
    expected = [None if value == -1 else pytest.approx(float(value), abs=1e-12) for value in reference.stats]
    assert list(figures.by_name().values()) == expected
    assert 0.05 < (figures.mean_ap or 0.0) < 0.95
    for k, name in enumerate(truth.classes):
        by_class = reference.eval["precision"][:, :, k, 0, 2]
        assert figures.per_class[name].ap == pytest.approx(by_class[by_class > -1].mean(), abs=1e-12)


def random_case(seed):
    """Twelve images: most boxes found a little off, some missed, some invented, one in ten a crowd."""
    random = np.random.default_rng(seed)
    images, detections = [], []
    for _ in range(12):
        n = int(random.integers(0, 6))
        corners = random.uniform(0, 120, (n, 2)).round(1)
        boxes = np.concatenate([corners, corners + random.uniform(5, 120, (n, 2)).round(1)], axis=1)
        names = random.choice(["cat", "dog"], n)
        images.append(annotated(boxes, names, crowd={i for i in range(n) if random.random() < 0.1}))
        rows = [
            (box + random.normal(0, 3, 4), str(name), float(random.random()))
            for box, name in zip(boxes, names, strict=True)
            if random.random() < 0.8
        ]
        rows += [([5.0, 5.0, 60.0, 60.0], "dog", float(random.random()) / 2)] * int(random.random() < 0.3)
        detections.append(detect(*rows))
    return dataset(*images), detections


def test_the_curve_of_one_right_and_one_missed_box_stops_at_half_the_recall():
    truth = dataset(annotated([SQUARE, [100.0, 100.0, 150.0, 150.0]], ["cat", "cat"]))
    rows = precision_recall(truth, [detect((SQUARE, "cat", 0.9))])
    cat = [row for row in rows if row.class_ == "cat"]
    assert [row.recall for row in cat] == [round(i / 100, 2) for i in range(101)]
    assert {(row.precision > 0.99, row.score) for row in cat if row.recall <= 0.5} == {(True, 0.9)}
    assert {(row.precision, row.score) for row in cat if row.recall > 0.5} == {(0.0, None)}


def test_the_average_curve_is_the_mean_of_the_classes_that_have_groundtruth_and_its_mean_is_ap50():
    truth, detections = random_case(5)
    truth = Dataset(truth.root, (*truth.classes, "never annotated"), truth.images)
    rows = precision_recall(truth, detections)
    curves = {name: [row.precision for row in rows if row.class_ == name] for name in ("all", "cat", "dog")}
    assert {row.class_ for row in rows} == {"all", "cat", "dog"}
    assert curves["all"] == pytest.approx((np.array(curves["cat"]) + np.array(curves["dog"])) / 2)
    assert np.mean(curves["all"]) == pytest.approx(coco_figures(truth, detections).ap50)
    assert all(np.isfinite([row.precision, row.score or 0.0]).all() for row in rows)


@pytest.mark.parametrize(
    ("detections", "message"),
    [
        ([], "0 lists of detections for 1 images"),
        ([detect((SQUARE, "bird", 0.9))], "a.jpg: detections of 'bird'"),
        ([detect((SQUARE, "cat", float("nan")))], "a.jpg: .* not a finite number"),
        ([detect(([0.0, 0.0, float("inf"), 9.0], "cat", 0.5))], "a.jpg: .* not a finite number"),
    ],
    ids=["an image was left out", "an unknown class", "a score that is no number", "an infinite box"],
)
def test_detections_that_do_not_fit_the_images_are_refused(detections, message):
    with pytest.raises(EvaluationError, match=message):
        coco_figures(dataset(annotated([SQUARE], ["cat"])), detections)
