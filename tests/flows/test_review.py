"""The flow review on a temporary Prefect server; in place of the command's work stands what writes one suspect."""

from collections.abc import Callable
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.utilities.callables import parameter_schema

from flows.review import review, review_labels, suspects_markdown
from tasks.artifacts.review import FoundSuspect

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_server")]

ROOT = Path(__file__).parents[2]
# Python runs it when it starts.
STAND_IN = """
import os, pathlib, signal, sys, types
def review(*, folds, out, minutes, **others):
    from tasks.artifacts.review import FoundSuspect, write_suspects
    from tasks.errors import BusyError, DataError
    if folds == 19 and not os.path.exists({once!r}):
        pathlib.Path({once!r}).touch()
        raise BusyError("models/resume.review: another process is using this folder")
    if folds == 20:
        raise DataError("images that differ: 3 of 3, too few for 20 folds")
    try:
        os.close(os.open({once!r}, os.O_CREAT | os.O_EXCL))
        os.kill(os.getpid(), signal.SIGKILL)
    except FileExistsError:
        out.mkdir(exist_ok=True)
        values = {{"image": "a|b.jpg", "sha256": "0" * 64, "kind": "box_on_nothing", "class": "cat"}}
        values |= {{"box": [1, 2, 3, 4], "score": minutes / 100, "seen_class": None, "seen_box": None}}
        values |= {{"sentence": "labelled cat, <nothing>"}}
        write_suspects([FoundSuspect.model_validate(values)], out)
module = types.ModuleType("tasks.commands.review")
module.review = review
sys.modules[module.__name__] = module
"""


@pytest.fixture
def out(tmp_path: Path, start_with: Callable[[str], None]) -> Path:
    """The folder for the results; the first command is killed where there is no file `once`."""
    start_with(STAND_IN.format(once=str(tmp_path / "once")))
    return tmp_path / "out"


def test_a_killed_review_is_tried_again_and_its_suspects_are_an_artifact(
    out: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(review_labels, "retry_delay_seconds", [0.1, 0.1])
    state = review(out=out, minutes=50, root=ROOT, return_state=True)
    assert (state.name, state.message) == ("Completed", f"1 suspect in {out}")
    assert "review was ended by SIGKILL" in caplog.text
    with get_client(sync_client=True) as client:
        (page,) = [str(each.data) for each in client.read_artifacts() if each.key == "review"]
    assert r"| 1 | a\|b.jpg | labelled cat, &lt;nothing> | 0.50 |" in page


def test_a_review_beside_another_is_tried_again(
    out: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(review_labels, "retry_delay_seconds", [0.1, 0.1])
    state = review(out=out, folds=19, minutes=50, root=ROOT, return_state=True)
    assert (state.name, state.message) == ("Completed", f"1 suspect in {out}")
    assert "another process is using this folder" in caplog.text


def test_a_review_that_cannot_work_fails_with_its_sentence(out: Path, caplog: pytest.LogCaptureFixture) -> None:
    state = review(out=out, folds=20, root=ROOT, return_state=True)
    assert state.is_failed()
    assert state.message == "review: images that differ: 3 of 3, too few for 20 folds"
    assert "Traceback" not in caplog.text


def test_the_form_explains_every_parameter() -> None:
    schema = parameter_schema(review)
    assert schema.required == []
    assert [name for name, field in schema.properties.items() if not field.get("description")] == []


def test_a_long_list_is_cut() -> None:
    one = FoundSuspect.model_validate(
        {"image": "a.jpg", "sha256": "0" * 64, "kind": "missing_box", "class": "cat", "box": [1, 2, 3, 4]}
        | {"score": 0.5, "seen_class": "cat", "seen_box": [1, 2, 3, 4], "sentence": "no label, looks like cat"}
    )
    assert suspects_markdown([one] * 103).endswith("| 100 | a.jpg | no label, looks like cat | 0.50 |\n\nand 3 more")
