"""The flow predict-folder on a temporary Prefect server; the command it starts has a detector that finds white."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect import State
from prefect.client.orchestration import get_client
from prefect.utilities.callables import parameter_schema

from flows.predict_folder import detect, predict_folder
from tasks.prediction.folder_run import results_lock
from tests.prediction.finding import picture

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_server")]

ROOT = Path(__file__).parents[2]
# Python runs it when it starts.
STAND_IN = """
import os, signal, sys, types
def load_exported(folder, *, trust):
    try:
        os.close(os.open({once!r}, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        from tests.prediction.finding import WhiteFinder
        return WhiteFinder()
    os.kill(os.getpid(), signal.SIGKILL)
module = types.ModuleType("tasks.evaluation.exported")
module.load_exported = load_exported
sys.modules[module.__name__] = module
"""


@pytest.fixture
def photos(tmp_path: Path, start_with: Callable[[str], None]) -> Path:
    """A folder with one photo; the first command that loads the detector is killed where there is no file `once`."""
    start_with(STAND_IN.format(once=str(tmp_path / "once")))
    (tmp_path / "once").touch()
    (tmp_path / "model").mkdir()
    return picture(tmp_path / "photos" / "a.png").parent


def run(photos: Path) -> State[Any]:
    return predict_folder(
        folder=photos,
        model=photos.parent / "model",
        settle_seconds=0.0,
        root=ROOT,
        score_threshold=0.3,
        return_state=True,
    )


def artifacts() -> list[str]:
    with get_client(sync_client=True) as client:
        return [str(each.data) for each in client.read_artifacts() if each.key == "predict-folder-photos"]


def test_new_photos_are_done_once_and_each_run_leaves_a_summary(photos: Path) -> None:
    (photos / "b.png").write_bytes(b"no image")
    first = run(photos)
    assert (first.type.value, first.name) == ("COMPLETED", "Completed")
    assert first.message == "2 photos, 2 new, 1 done, 1 unreadable"
    assert (photos / "predictions" / "a.png.json").exists()
    assert run(photos).message == "2 photos, none new, 1 unreadable"
    pages = artifacts()
    assert len(pages) == 2
    assert all("- b.png: not an image in a known format" in page for page in pages)


def test_a_run_beside_another_ends_well_and_says_why_it_did_nothing(photos: Path) -> None:
    with results_lock(photos / "predictions"):
        state = run(photos)
    assert (state.name, state.message) == ("Completed", f"another run works on {photos}: nothing to do")
    assert not (photos / "predictions" / "a.png.json").exists()


def test_a_command_that_was_killed_is_tried_again_and_one_that_failed_is_not(
    photos: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(detect, "retry_delay_seconds", [0.1, 0.1])
    (photos.parent / "once").unlink()
    assert run(photos).message == "1 photo, 1 new, 1 done"
    assert "predict-folder was ended by SIGKILL" in caplog.text
    caplog.clear()
    state = run(photos.rename(photos.parent / "moved").parent / "photos")
    assert state.is_failed()
    assert state.message == f"predict-folder: {photos}: no such folder; name the one that photos are put into"
    assert "Retry" not in caplog.text
    assert "Traceback" not in caplog.text


def test_the_form_explains_every_parameter_and_asks_for_the_folder() -> None:
    schema = parameter_schema(predict_folder)
    assert schema.required == ["folder"]
    assert [name for name, field in schema.properties.items() if not field.get("description")] == []
    assert schema.properties["model"]["default"] == "models/exported"
