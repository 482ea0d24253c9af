"""The tables of studies/models, of made-up results."""

from pathlib import Path

import pytest

from studies.models.result import ModelResult, NativeCost, SmallRun
from studies.models.small import smallest_side
from studies.models.table import write_tables
from tasks.errors import PipelineError
from tasks.model.definitions import MODELS, find_model

SMALL = SmallRun(
    side_px=256, seconds=61.4, loss=3.14159, mAP=0.0123, variants={"float32": 11.04, "onnx": 9.96},
    left_out={"int8": "loses too much"}, frozen_variables=260, frozen_max_abs_change=0.0, restored=380, variables=383,
)  # fmt: skip
NATIVE = NativeCost(
    side_px=320,
    parameters=2_600_000,
    gflops=1.26,
    step_ms=812.4,
    batch_size=2,
    peak_memory_mb=1652.0,
    detection_ms=41.2,
)


def result(model: str, code: str = "a") -> ModelResult:
    return ModelResult(model=model, code=code, cores=2, small=SMALL, native=NATIVE)


def test_a_model_has_a_row_in_both_tables_in_the_order_of_the_models(tmp_path: Path) -> None:
    names = list(MODELS)[:2]
    text = write_tables({name: result(name) for name in reversed(names)}, tmp_path / "table.md")

    rows = [line for line in text.splitlines() if line.startswith("| ssd_")]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == names * 2
    assert rows[0].endswith("| 256 | 61 | 3.14 | 0.012 | 11.0 MB | - | - | - | 10.0 MB | 380 of 383 | 260 | 0 |")
    assert rows[2].endswith("| 320 | 2.6 | 1.3 | 812 | 1652 | 41 |")
    assert f"- {names[0]}, int8: loses too much" in text
    assert (tmp_path / "table.md").read_text(encoding="utf-8") == text
    assert "mixed" not in text


def test_results_of_several_versions_are_said(tmp_path: Path) -> None:
    first, second = list(MODELS)[:2]
    text = write_tables({first: result(first, "a"), second: result(second, "b")}, tmp_path / "table.md")

    assert "Results of 2 different versions of the code are mixed here." in text


def test_without_a_result_there_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="no model has a result yet"):
        write_tables({}, tmp_path / "table.md")


@pytest.mark.parametrize("model", MODELS)
def test_the_smallest_side_is_one_that_the_model_can_have(model: str) -> None:
    assert find_model(model, smallest_side(model)) != find_model(model)
