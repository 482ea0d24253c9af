"""The flow itself, on a temporary Prefect server."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from flows.pipeline import pipeline
from flows.stage_run import stage
from tests.flows.prefect_attack import REFUSED, attack
from tests.foreign_page import BROWSER
from tests.small_project import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_server")]

ROOT = Path(__file__).parents[2]


def test_a_stage_runs_once_is_then_cached_or_restored_and_runs_again_when_its_inputs_change(project: Path) -> None:
    root = str(project)
    (project / "answers").touch()
    names = {"take", "arm@0", "arm@4", "other", "remote"}
    assert pipeline(root=root) == dict.fromkeys(names, "Ran")
    assert pipeline(root=root) == dict.fromkeys(names, "Cached")
    (project / "arm-4.txt").unlink()
    assert pipeline(root=root) == {**dict.fromkeys(names, "Cached"), "arm@4": "Restored"}
    assert pipeline(root=root, targets=["take"], force=True) == {"take": "Ran"}
    (project / "params.yaml").write_text("take:\n  steps: 2\n")
    outcomes = pipeline(root=root)
    assert (outcomes["take"], outcomes["other"]) == ("Ran", "Cached")
    # Their input came out the same, so DVC finds nothing to do.
    assert (outcomes["arm@0"], outcomes["arm@4"]) == ("Cached", "Cached")


def test_a_failed_stage_fails_the_run_and_the_others_still_run(project: Path) -> None:
    (project / "answers").touch()
    (project / "source.txt").write_text("bad")
    with pytest.raises(RuntimeError, match="not done: other"):
        pipeline(root=str(project))
    assert (project / "arm-4.txt").read_text() == "bad"
    (project / "source.txt").write_text("good")
    assert pipeline(root=str(project))["other"] == "Ran"


def test_a_stage_is_tried_again_after_an_unreachable_server_but_not_after_bad_data(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "retry_delay_seconds", [0.1, 0.1, 0.1])
    assert pipeline(root=str(project), targets=["remote"]) == {"remote": "Ran"}
    assert (project / "tries").read_text() == "\n" * 3
    (project / "source.txt").write_text("bad")
    with pytest.raises(RuntimeError, match="not done: other"):
        pipeline(root=str(project), targets=["other"])


def test_ctrl_c_stops_the_running_stage(project: Path, tmp_path: Path) -> None:
    command = "echo $$ > stage.pid; exec sleep 300"
    (project / "dvc.yaml").write_text(f"stages: {{long: {{cmd: '{command}', outs: [long.txt]}}}}")
    with own_pipeline(project, tmp_path) as process:
        try:
            wait_until((project / "stage.pid").exists, 120)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode != 0
    stage = int((project / "stage.pid").read_text())
    wait_until(lambda: not Path(f"/proc/{stage}").exists(), 10)


def test_the_flow_runs_by_hand_without_a_server_and_without_errors(project: Path, tmp_path: Path) -> None:
    with own_pipeline(project, tmp_path, "arm") as process:
        try:
            output, _ = process.communicate(timeout=300)
        finally:
            process.kill()
    assert process.returncode == 0, output
    assert "take Ran, arm@" in output
    assert "ERROR" not in output
    assert "Traceback" not in output


@pytest.mark.skipif(not BROWSER, reason="no Chromium here; `apt install chromium` brings one")
def test_a_foreign_page_leaves_nothing_on_the_server_of_a_run_by_hand(project: Path, tmp_path: Path) -> None:
    command = "echo $PREFECT_API_URL $PREFECT_API_AUTH_STRING > told.partial; mv told.partial told; exec sleep 300"
    (project / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"long": {"cmd": command, "outs": ["long.txt"]}}}))
    with own_pipeline(project, tmp_path) as process:
        try:
            wait_until((project / "told").exists, 120)
            api, *password = (project / "told").read_text().split()
            answers = attack(api, tmp_path / "mark", tmp_path / "profile")
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        finally:
            process.kill()
    assert REFUSED.items() <= answers.items()
    # A stage has no use for it.
    assert password == []
    (database,) = (tmp_path / "prefect").glob("*.db")
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("select name from flow").fetchall() == [("pipeline",)]
        assert connection.execute("select count(*) from deployment").fetchone() == (0,)


def own_pipeline(project: Path, tmp_path: Path, *targets: str) -> "subprocess.Popen[str]":
    """`python flows/pipeline.py`, started in `project` with no server there."""
    for name in ("flows", "tasks"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", project)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    return subprocess.Popen(
        [sys.executable, "flows/pipeline.py", *targets],
        cwd=project,
        env={**environment, "PREFECT_HOME": str(tmp_path / "prefect")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
