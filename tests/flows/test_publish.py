import base64

import pytest
from markupsafe import Markup

from flows.publish import FigureRow, as_image, figure_rows, percent_of


@pytest.mark.parametrize(
    ("line", "percent"),
    [
        ("train:  61%|██████    | 183/300 [09:10<05:25,  2.78s/step, loss=0.349]", 61.0),
        ("evaluate tflite: 100%|██████████| 34/34 [00:01<00:00]", 100.0),
        ("records (written and re-read):   0%|          | 0/336", 0.0),
        ("step 100: validation mAP 0.349, AP50 0.800", None),
        ("about 50% of the images", None),
    ],
)
def test_only_a_progress_bar_has_a_percentage(line: str, percent: float | None) -> None:
    assert percent_of(line) == percent


def test_the_table_shows_the_main_figures_beside_the_committed_ones() -> None:
    diff: dict[str, dict[str, dict[str, float | None]]] = {
        "metrics/evaluate.json": {
            "variants.float32.mAP": {"old": 0.5, "new": 0.25, "diff": -0.25},
            "saved_model.mAP": {"old": None, "new": 0.123456},
            "saved_model.per_class.cat.AP": {"old": 1.0, "new": 1.0, "diff": 0.0},
        },
        "metrics/train.json": {"loss": {"new": 1}},
    }
    assert figure_rows(diff) == [
        FigureRow("mAP, SavedModel", now=0.1235, committed=None, change=None),
        FigureRow("mAP, float32", now=0.25, committed=0.5, change=-0.25),
        FigureRow("training loss", now=1, committed=None, change=None),
    ]
    assert figure_rows({}) == []


def test_a_drawing_becomes_an_address_that_needs_no_network() -> None:
    head, content = as_image(Markup('<svg width="1"><path stroke="currentColor"/></svg>')).split(",")
    assert head == "data:image/svg+xml;base64"
    drawn = base64.b64decode(content).decode()
    assert drawn.startswith("<svg ")
    assert 'style="background:#fff"' in drawn
    assert "currentColor" not in drawn
