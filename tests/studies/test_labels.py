"""The study of planted mistakes: what is planted, what counts as found, its table."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from studies.labels.objectlab import Thresholds, suspects
from studies.labels.params import read_labels_params
from studies.labels.planting import KINDS, Planted, plant
from studies.labels.result import MethodFigures, ObjectLabFigures, Reviewed
from studies.labels.run import objectlab
from studies.labels.scoring import Named, Score, fitted_thresholds, score
from studies.labels.table import write_table
from studies.stages import PARAMS, write_params
from tasks.artifacts.artifact import write_artifact
from tasks.dataset.boxes import as_boxes, iou
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.errors import PipelineError

STUDY = Path(__file__).parents[2] / "studies" / "labels"
CAT = (10.0, 10.0, 50.0, 60.0)


def data_set(names: tuple[str, ...] = ("cat", "dog"), images: int = 40) -> Dataset:
    """Two labels an image, away from each other and from the edges."""
    boxes = as_boxes([(20, 20, 80, 60), (120, 100, 180, 180)])
    return Dataset(
        Path("photos"),
        names,
        tuple(
            AnnotatedImage(f"{i}.jpg", 300, 240, boxes, (names[0], names[-1]), flags(2), flags(2))
            for i in range(images)
        ),
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_as_many_mistakes_of_each_kind_are_planted_and_each_is_one(seed: int) -> None:
    clean = data_set()
    spoilt, planted = plant(clean, 0.1, seed)
    assert Counter(each.kind for each in planted) == dict.fromkeys(KINDS, 2)
    for each in planted:
        before, after = clean.images[each.image], spoilt.images[each.image]
        place = [i for i, box in enumerate(after.boxes) if np.allclose(box, each.box)]
        overlap = iou(as_boxes([each.box]), before.boxes)[0]
        if each.kind == "dropped":
            assert not place
            assert overlap.max() == 1.0
            continue
        assert after.classes[place[0]] == each.class_name
        if each.kind == "swapped":
            assert before.classes[int(overlap.argmax())] != each.class_name
        elif each.kind == "shifted":
            assert 0.2 < overlap.max() < 0.5
        else:
            assert overlap.max() < 0.1
    labels = sum(len(image.classes) for image in spoilt.images)
    assert labels == 80  # two dropped, two added


def test_one_class_has_no_swaps_and_labels_elsewhere_stay() -> None:
    clean = data_set(("cat",))
    spoilt, planted = plant(clean, 0.1, 1)
    assert {each.kind for each in planted} == {"dropped", "shifted", "added"}
    touched = {each.image for each in planted}
    assert all(spoilt.images[i] is clean.images[i] for i in range(40) if i not in touched)


def test_a_label_at_the_edge_is_shifted_into_the_image() -> None:
    edge = AnnotatedImage("a.jpg", 100, 100, as_boxes([(0, 0, 40, 40)]), ("cat",), flags(1), flags(1))
    for seed in range(20):
        _, planted = plant(Dataset(Path("photos"), ("cat",), (edge,) * 40), 0.25, seed)
        for each in planted:
            if each.kind == "shifted":
                assert iou(as_boxes([each.box]), edge.boxes)[0, 0] < 0.6


def named(box: tuple[float, float, float, float] = CAT, name: str = "cat", *, missing: bool = False) -> Named:
    return Named(0, box, name, missing)


ELSEWHERE = named((90.0, 90.0, 99.0, 99.0))
SWAPPED, DROPPED = Planted("swapped", 0, CAT, "cat"), Planted("dropped", 0, (100.0, 10.0, 140.0, 60.0), "dog")


def test_the_recall_is_that_of_the_longest_list_of_which_half_is_right() -> None:
    seen = named((102.0, 10.0, 140.0, 60.0), "cat", missing=True)
    assert score([named(), seen], [SWAPPED, DROPPED], 0.5) == Score(1.0, 2, {"dropped": 1, "swapped": 1})
    assert score([named(), ELSEWHERE, ELSEWHERE, seen], [SWAPPED, DROPPED], 0.5).recall == 1.0
    assert score([named(), *[ELSEWHERE] * 3, seen], [SWAPPED, DROPPED], 0.5) == Score(0.5, 1, {"swapped": 1})


def test_a_mistake_counts_once_and_only_as_what_it_is() -> None:
    assert score([named(), named()], [SWAPPED, DROPPED], 0.5).recall == 0.5
    assert score([named(name="dog")], [SWAPPED], 0.5).recall == 0.0
    assert score([named(missing=True)], [SWAPPED], 0.5).recall == 0.0
    assert score([named((100.0, 10.0, 140.0, 60.0), "dog")], [DROPPED], 0.5).recall == 0.0


def test_suspects_of_objectlab_come_lowest_score_first(monkeypatch: pytest.MonkeyPatch) -> None:
    rank = ModuleType("cleanlab.object_detection.rank")
    given: list[dict[str, float]] = []

    def scores(*values: float) -> Callable[..., list[Any]]:
        def of(labels: object, predictions: object, **thresholds: float) -> list[Any]:
            given.append(thresholds)
            return [np.array(values)]

        return of

    vars(rank).update(
        compute_badloc_box_scores=scores(0.9, 0.4),
        compute_swap_box_scores=scores(0.2, np.nan),
        compute_overlooked_box_scores=scores(np.nan, 0.3),
    )
    for name in ("cleanlab", "cleanlab.object_detection"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, rank.__name__, rank)
    labels = [{"bboxes": [[0, 0, 9, 9], [20, 20, 29, 29]], "labels": [0, 1]}]
    predictions = [[[[1.0, 1, 8, 8, 0.2]], [[40.0, 40, 49, 49, 0.9]]]]
    found = suspects(labels, predictions)
    assert [(each["box"][0], each["class"], each["missing"]) for each in found] == [
        (0, 0, False),
        (40, 1, True),
        (20, 1, False),
    ]
    assert given == [{}, {}, {}]
    suspects(labels, predictions, Thresholds(0.1, 0.5))
    low, high = {"low_probability_threshold": 0.1}, {"high_probability_threshold": 0.5}
    assert given[3:] == [low, high, high]


def test_fitted_thresholds_are_from_the_detections_of_labels() -> None:
    labels = [{"bboxes": [[0, 0, 10, 10], [20, 20, 30, 30], [50, 50, 60, 60]], "labels": [0, 0, 1]}]
    cats = [[0, 0, 10, 9, 0.3], [0, 0, 10, 10, 0.2], [20, 20, 30, 30, 0.5], [80, 80, 90, 90, 0.99]]
    # The third label has a detection of another class only.
    fitted = fitted_thresholds(labels, [[[*cats, [50, 50, 60, 60, 0.9]], []]])
    assert fitted == pytest.approx((0.08, 0.4))
    assert fitted_thresholds(labels, [[[], []]]) is None


def figures(recall: float, **found: int) -> MethodFigures:
    return MethodFigures(recall=recall, suspects=9, found=found)


def test_the_table_has_means_over_seeds_and_both_methods(tmp_path: Path) -> None:
    for seed, recall in ((1, 0.5), (2, 1.0)):
        done = Reviewed(
            data="guns",
            seed=seed,
            code="c",
            images=9,
            labels=40,
            planted={"dropped": 1, "shifted": 1},
            mAP=0.3,
            AP50=0.7,
            minutes=3.0,
            review=figures(recall, dropped=1, shifted=seed - 1),
        )
        write_artifact(tmp_path / "results" / f"{done.key}.json", done)
    other = ObjectLabFigures(
        data="guns", seed=1, thresholds=(0.1, 0.5), own=figures(0.0), fitted=figures(0.5, shifted=1)
    )
    write_artifact(tmp_path / "objectlab" / "guns-1.json", other)
    text = write_table(tmp_path / "results", tmp_path / "objectlab", tmp_path / "t.json", tmp_path / "t.md")
    assert "| guns | review | 2 | 0.75 | 1.00 | 0.50 | - | - |" in text
    assert "| guns | objectlab | 1 | 0.00 | 0.00 | 0.00 | - | - |" in text
    assert "| guns | objectlab, fitted | 1 | 0.50 | 0.00 | 1.00 | - | - |" in text
    assert "| guns | 2 | 9 | 40 | 2 | 1.00 | 9 | 0.70 | 3 |" in text
    assert "different versions" not in text


def test_without_a_result_there_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="no run has ended yet"):
        write_table(tmp_path / "results", tmp_path / "objectlab", tmp_path / "t.json", tmp_path / "t.md")


def test_without_its_environment_objectlab_names_the_page_that_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PipelineError, match=r"\.objectlab/bin/python: missing; README\.md says how"):
        objectlab("guns", 1, tmp_path)


def test_its_params_are_those_of_the_pipeline(tmp_path: Path) -> None:
    study = read_labels_params(STUDY / "trials.yaml")
    params = write_params(PARAMS, tmp_path, tmp_path / "data", study.changes)
    assert params.split.author_split == "ignore"
