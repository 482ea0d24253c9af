"""The page of the command learning-curve: its drawing, its tables, and what it is without a curve."""

import pytest

from tasks.artifacts.analysis import Interval
from tasks.artifacts.learning_curve import CurvePlace, Expected, FittedCurve, MeasuredCurve, SizeScores
from tasks.report_page.learning_curve import learning_curve_page


def expected(value: float, width: float = 0.1) -> Expected:
    return Expected(value=value, interval=Interval(value - width, value + width))


CURVE = FittedCurve(
    now=expected(0.5),
    doubled=expected(0.6),
    gain=expected(0.1),
    exponent=expected(0.5),
    places=[CurvePlace(images=images, expected=expected(0.2 + images / 500)) for images in (50.0, 100.0, 200.0)],
    fits=True,
)


def page(curve: FittedCurve | None, model: str = "a_model") -> str:
    return learning_curve_page(
        MeasuredCurve(
            model=model,
            steps=300,
            sizes=[
                SizeScores(percent=50, images=50, scores=[0.31, 0.33]),
                SizeScores(percent=100, images=100, scores=[0.4, 0.41]),
            ],
            scored={"val": 25, "test": 34},
            curve=curve,
            why_no_curve="" if curve else "mAP does not rise",
        )
    )


def test_the_page_has_the_answer_the_band_and_each_training() -> None:
    html = page(CURVE)
    assert "Twice the labels (200 images): mAP 0.60 (0.50 to 0.70), now 0.50 (0.40 to 0.60)" in html
    assert '<th scope="row">200, twice as many</th><td>0.600</td><td>0.50 to 0.70</td>' in html
    assert "<td>0.320</td><td>0.310</td><td>0.330</td>" in html
    assert "scored on 25 val and 34 test images" in html
    assert html.count("FillBetweenPolyCollection") + html.count("PolyCollection_1") >= 1


def test_without_a_curve_the_page_has_its_reason_and_the_trainings_alone() -> None:
    html = page(None)
    assert "mAP does not rise." in html
    assert "PolyCollection" not in html
    assert "twice as many" not in html
    assert html.count("<svg") == 1


@pytest.mark.parametrize("curve", [CURVE, None], ids=["curve", "none"])
def test_the_page_asks_for_nothing_from_outside_and_shows_names_as_they_are(curve: FittedCurve | None) -> None:
    html = page(curve, "<img src=x onerror=alert(1)>")
    assert "<img" not in html
    assert "&lt;img" in html
    assert "default-src 'none'" in html
    assert page(curve) == page(curve)
