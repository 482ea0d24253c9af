"""The file of the command learning-curve."""

from pathlib import Path

import pytest

from tasks.artifacts.analysis import Interval
from tasks.artifacts.learning_curve import (
    CurvePlace,
    Expected,
    FittedCurve,
    MeasuredCurve,
    SizeScores,
    read_learning_curve,
    write_learning_curve,
)
from tasks.errors import DataError, FormatError

EXPECTED = Expected(value=0.5, interval=Interval(0.4, 0.6))
MEASURED = MeasuredCurve(
    model="a_model",
    steps=300,
    sizes=[SizeScores(percent=50, images=10, scores=[0.2, 0.4]), SizeScores(percent=100, images=20, scores=[0.5, 0.5])],
    scored={"val": 3, "test": 4},
    curve=FittedCurve(
        now=EXPECTED,
        doubled=EXPECTED,
        gain=EXPECTED,
        exponent=EXPECTED,
        places=[CurvePlace(images=10.0, expected=EXPECTED)],
        fits=True,
    ),
    images_to_see_gain=310,
)


@pytest.mark.parametrize(
    "measured",
    [MEASURED, MEASURED.model_copy(update={"curve": None, "why_no_curve": "mAP does not rise"})],
    ids=["curve", "none"],
)
def test_what_is_written_is_read(measured: MeasuredCurve, tmp_path: Path) -> None:
    write_learning_curve(tmp_path / "curve.json", measured)
    assert read_learning_curve(tmp_path / "curve.json") == measured
    assert measured.sizes[0].mean == pytest.approx(0.3)


def test_a_file_of_something_else_is_named_with_its_first_wrong_key(tmp_path: Path) -> None:
    (tmp_path / "curve.json").write_text('{"model": "a_model"}')
    with pytest.raises(
        FormatError, match=r"curve\.json: not a learning curve: steps: .*run `python -m tasks learning-curve`"
    ):
        read_learning_curve(tmp_path / "curve.json")


def test_a_missing_file_is_a_sentence_that_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"curve\.json: no such file; run `python -m tasks learning-curve`"):
        read_learning_curve(tmp_path / "curve.json")
