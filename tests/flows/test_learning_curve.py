"""The flow learning-curve on a temporary Prefect server; the command it starts trains nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect import State
from prefect.client.orchestration import get_client
from prefect.utilities.callables import parameter_schema

from flows.learning_curve import learning_curve, train_on_subsets

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_server")]

ROOT = Path(__file__).parents[2]
# Python runs it when it starts: the first command is killed where there is no file `once`.
STAND_IN = """
import os, signal, sys, types
def learning_curve(*, sizes, seeds, steps, out, params):
    from tasks.artifacts.learning_curve import MeasuredCurve, SizeScores, write_learning_curve
    try:
        os.close(os.open({once!r}, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        rows = [SizeScores(percent=percent, images=percent, scores=[0.0] * seeds) for percent in sizes]
        why = f"mAP is 0 after {{steps}} steps"
        measured = MeasuredCurve(model="m", steps=steps, sizes=rows, scored={{"test": 9}}, why_no_curve=why)
        write_learning_curve(out.with_suffix(".json"), measured)
        return
    os.kill(os.getpid(), signal.SIGKILL)
module = types.ModuleType("tasks.commands.learning_curve")
module.learning_curve = learning_curve
sys.modules[module.__name__] = module
"""


@pytest.fixture
def clone(tmp_path: Path, start_with: Callable[[str], None]) -> Path:
    """A folder to run in."""
    (tmp_path / "clone").mkdir()
    start_with(STAND_IN.format(once=str(tmp_path / "once")))
    (tmp_path / "once").touch()
    return tmp_path / "clone"


def run(clone: Path) -> State[Any]:
    return learning_curve(sizes=[50, 100], seeds=2, steps=40, root=clone, return_state=True)


def test_the_answer_is_the_runs_message_and_its_artifact_lists_the_trainings(clone: Path) -> None:
    state = run(clone)
    assert (state.name, state.message) == ("Completed", "mAP is 0 after 40 steps")
    with get_client(sync_client=True) as client:
        (artifact,) = [each for each in client.read_artifacts() if each.key == "learning-curve"]
    assert "mAP is 0 after 40 steps" in str(artifact.data)
    assert "50 % (50 images): mAP 0.000 (0.000, 0.000)" in str(artifact.data)
    assert f"`{clone / 'reports/learning_curve.html'}`" in str(artifact.data)


def test_a_command_that_was_killed_is_tried_again(
    clone: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(train_on_subsets, "retry_delay_seconds", [0.1, 0.1])
    (clone.parent / "once").unlink()
    assert run(clone).message == "mAP is 0 after 40 steps"
    assert "learning-curve was ended by SIGKILL" in caplog.text


def test_a_command_that_failed_is_not_and_its_sentence_is_the_message(
    clone: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    state = run(clone)
    assert state.is_failed()
    assert str(state.message).startswith("learning-curve: params.yaml: no such file")
    assert "Retry" not in caplog.text
    assert "Traceback" not in caplog.text


def test_the_form_explains_every_parameter_and_asks_for_none() -> None:
    schema = parameter_schema(learning_curve)
    assert schema.required == []
    assert [name for name, field in schema.properties.items() if not field.get("description")] == []
