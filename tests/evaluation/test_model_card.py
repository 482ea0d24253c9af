"""The card of an exported model, from a run's figures."""

import ast
import re

import numpy as np
import pytest

from tasks.artifacts.evaluation import Evaluation, SavedModelFigures
from tasks.artifacts.recipe import RecipeUse, recipe_use
from tasks.artifacts.speed import Latency, ModelSpeed, Speed
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.evaluation.model_card import Facts, card
from tasks.metrics.analysis import analysis
from tasks.metrics.coco import figures_of
from tasks.metrics.matching import match_detections
from tasks.model.resizer import Resizer
from tests.artifacts.base_descriptions import base_description
from tests.metrics.cases import annotated, dataset, detect
from tests.metrics.simulated import draw
from tests.training.train_params import train_params

SPEED = ModelSpeed(size_mb=12.5, latency_ms=33.3)
BASE = base_description(origin="somewhere", licence="BSD-3-Clause")


def facts(truth: Dataset, detections: list[Detections], score: float = 0.4, **other: object) -> Facts:
    matches = match_detections(truth, detections)
    figures = dict(figures_of(matches))
    given = {
        "intended_use": None,
        "resizer": Resizer(width=416, height=416),
        "of_split": dict.fromkeys(("train", "val", "test"), truth),
        "evaluation": Evaluation(
            images=len(truth.images),
            saved_model=SavedModelFigures(**figures, score_threshold=score),
        ),
        "analysis": analysis(truth, detections, matches, score, "which somebody chose"),
        "base": BASE,
        "recipe": recipe_use(train_params(recipe="quick", steps=500)),
        "speed": Speed(machine="a toaster", models={"saved_model": SPEED}),
    }
    return Facts(**given | other)  # type: ignore[arg-type]


def test_the_card_names_the_recipe_and_what_it_gave() -> None:
    truth, detections = draw(np.random.default_rng(1), 5)
    training = card(facts(truth, detections)).partition("## Training\n")[2].partition("##")[0]
    assert "Recipe: quick, but for steps 500." in training
    assert "warmup\\_steps 30, freeze auto" in training
    own = card(facts(truth, detections, recipe=recipe_use(train_params(recipe=None))))
    assert "Recipe: none: every value is set in params.yaml." in own
    assert "It gave" not in own
    none_left = RecipeUse(name="quick", values={"steps": 9}, own=["steps"])
    assert "It gave" not in card(facts(truth, detections, recipe=none_left))


def test_the_card_has_the_use_the_data_the_figures_and_the_limits() -> None:
    truth, detections = draw(np.random.default_rng(1), 40)
    own = facts(truth, detections, intended_use="Counting pets")
    text = card(own)
    low, high = own.analysis.intervals["mAP"] or (0.0, 0.0)
    assert text.startswith("# Detector of cat, dog and owl\n")
    assert "**Intended use:** Counting pets." in text
    assert "Each photo is scaled to 416 x 416 px first" in text
    assert f"| mAP | {own.evaluation.saved_model.mean_ap:.3f} | {low:.2f} to {high:.2f} |" in text
    assert "From a score of 0.40 on, which somebody chose, precision is 0." in text
    assert "runs in this file's folder, with a photo `photo.jpg` in it" in text
    assert "names = ['cat', 'dog', 'owl']\n" in text
    assert "in np.flatnonzero(scores >= 0.40):" in text
    assert "The figures are of 40 images only" in text
    assert "| saved_model | 12.5 | 33 | - |" in text
    assert "Training began from: somewhere. Licence of those weights: BSD-3-Clause." in text
    counts = truth.box_counts()
    assert f"| test | 40 | {counts['cat']} | {counts['dog']} | {counts['owl']} |" in text


@pytest.mark.parametrize("images", [0, 1])
def test_the_card_warns_where_there_are_few_images(images: int) -> None:
    truth = dataset(*[annotated()] * images, classes=("cat",))
    text = card(facts(truth, [detect()] * images, base=base_description()))
    assert "its figures say next to nothing" in text
    assert "not recorded" in text
    assert "not given; set `evaluate.intended_use` in params.yaml" in text


def test_class_names_are_never_markup() -> None:
    name = "a|b](x) <img src=x> *c* `d`\n# e"
    truth = dataset(annotated(([10.0, 10.0, 50.0, 50.0], name)), classes=(name,))
    text = card(facts(truth, [detect()]))
    assert "<img" not in text
    assert not re.search(r"^# e", text, re.MULTILINE)
    assert r"a\|b\](x) &lt;img src=x> \*c\* \`d\`" in text


@pytest.mark.parametrize("name", ["a'b\"c\\d", "\\<", "dög {0} {names}", "a\n```\nb", "\u202ecod.exe", "\ud800"])
def test_any_class_name_stands_in_the_code_as_it_is(name: str) -> None:
    truth = dataset(annotated(([10.0, 10.0, 50.0, 50.0], name)), classes=(name,))
    (line,) = re.findall(r"^names = (.*)$", card(facts(truth, [detect()])), re.MULTILINE)
    assert ast.literal_eval(line) == [name]
    assert line.isprintable()


def test_the_card_gives_the_reason_why_equal_figures_have_no_interval() -> None:
    box = [10.0, 10.0, 50.0, 50.0]
    truth = dataset(*[annotated((box, "cat"))] * 8, classes=("cat",))
    text = card(facts(truth, [detect((box, "cat", 0.9))] * 8))
    assert "Every half of the test images gives the same figures" in text
    assert "too few test images" not in text


def test_the_card_says_which_times_are_of_a_busy_machine() -> None:
    truth, detections = draw(np.random.default_rng(1), 10)
    times = {count: Latency(p50_ms=ms, p95_ms=ms) for count, ms in ((1, 10.0), (2, 20.0))}
    busy = Speed(machine="a toaster", models={"int8": ModelSpeed(latency_ms=25.0, by_threads=times)})
    remark = "Of the times here and below: 2 threads are slower than 1 (int8): measured on a busy machine, it seems"
    assert remark in card(facts(truth, detections, speed=busy))
    text = card(facts(truth, detections))
    assert "busy" not in text
    assert "is the median from a photo's pixels to boxes, with scaling and with all cores" in text
