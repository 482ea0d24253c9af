import json
import subprocess
import sys
from pathlib import Path

import pytest

from flows.overrides import params_override
from tasks.errors import ParamsError
from tasks.params import read_params

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "params.yaml").read_text()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text(TEXT)
    return tmp_path


def steps(project: Path) -> int:
    return read_params(project / "params.yaml").train.steps


def test_values_are_kept_after_a_run_that_ended_well(project: Path) -> None:
    with params_override(project, {"train.steps": 7, "train.augment.flip": 0.25}, print):
        assert steps(project) == 7
    assert steps(project) == 7
    text = (project / "params.yaml").read_text()
    assert "# chooses the best checkpoint" in text
    assert [path.name for path in project.iterdir()] == ["params.yaml"]


def test_a_run_that_failed_leaves_params_yaml_as_it_was(project: Path) -> None:
    def fail() -> None:
        with params_override(project, {"train.steps": 7}, print):
            raise RuntimeError("the stage failed")

    with pytest.raises(RuntimeError, match="the stage failed"):
        fail()
    assert (project / "params.yaml").read_text() == TEXT
    assert [path.name for path in project.iterdir()] == ["params.yaml"]


def killed_run(project: Path, **values: object) -> None:
    """What a run leaves that sets `values` (`__` for a dot) and is killed."""
    code = (
        "import json, os, sys; from pathlib import Path; from flows.overrides import params_override\n"
        "with params_override(Path(sys.argv[1]), json.loads(sys.argv[2]), print): os._exit(9)"
    )
    keys = {key.replace("__", "."): value for key, value in values.items()}
    done = subprocess.run([sys.executable, "-c", code, str(project), json.dumps(keys)], cwd=ROOT, check=False)
    assert done.returncode == 9


def next_run(project: Path) -> list[str]:
    logged: list[str] = []
    with params_override(project, {}, logged.append):
        pass
    return logged


def test_the_next_run_takes_back_what_a_killed_one_had_set(project: Path) -> None:
    killed_run(project, train__steps=7)
    assert steps(project) == 7
    assert next_run(project) == ["params.yaml: taken back what a run that did not end well had set: train.steps"]
    assert (project / "params.yaml").read_text() == TEXT
    assert [path.name for path in project.iterdir()] == ["params.yaml"]
    assert next_run(project) == []


def test_what_was_edited_by_hand_since_a_killed_run_stays(project: Path) -> None:
    killed_run(project, train__steps=7, train__seed=5)
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(
        text.replace("batch_size: 8", "batch_size: 6  # mine").replace("steps: 7", "steps: 900")
    )
    (logged,) = next_run(project)
    params = read_params(project / "params.yaml").train
    assert (params.batch_size, params.steps, params.seed) == (6, 900, read_params(ROOT / "params.yaml").train.seed)
    assert "# mine" in (project / "params.yaml").read_text()
    assert logged.endswith("had set: train.seed; edited since, and kept: train.steps")
    assert [path.name for path in project.iterdir()] == ["params.yaml"]


def test_an_edit_during_a_run_that_then_fails_stays(project: Path) -> None:
    def fail() -> None:
        with params_override(project, {"train.steps": 7}, print):
            text = (project / "params.yaml").read_text()
            (project / "params.yaml").write_text(text.replace("batch_size: 8", "batch_size: 6"))
            raise RuntimeError("the stage failed")

    with pytest.raises(RuntimeError, match="the stage failed"):
        fail()
    assert (project / "params.yaml").read_text() == TEXT.replace("batch_size: 8", "batch_size: 6")


def test_a_run_killed_before_it_wrote_has_nothing_taken_back(project: Path) -> None:
    killed_run(project, train__steps=7)
    (project / "params.yaml").write_text(TEXT)
    assert next_run(project) == []
    assert (project / "params.yaml").read_text() == TEXT


def test_params_that_are_broken_since_are_left_as_they_are(project: Path) -> None:
    killed_run(project, train__steps=7)
    (project / "params.yaml").write_text("train: {steps: 7")
    with pytest.raises(ParamsError, match=r"params\.yaml: not valid YAML any more; mend it"):
        next_run(project)
    (project / "params.yaml").write_text(TEXT.replace("steps: null ", "steps: 7    ", 1) + "# mended\n")
    assert len(next_run(project)) == 1
    assert (project / "params.yaml").read_text() == TEXT + "# mended\n"


def test_a_file_of_an_earlier_version_is_named_and_nothing_is_taken_back(project: Path) -> None:
    (project / "params.yaml.before-run").write_text(TEXT)
    with pytest.raises(ParamsError, match=r"look at the values in params\.yaml yourself, then remove params\.yaml"):
        next_run(project)
    assert (project / "params.yaml").read_text() == TEXT


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"train.stepz": 7}, "train.stepz: no such key"),
        ({"trian.steps": 7}, "trian.steps: no such key"),
        ({"train.steps.more": 7}, "train.steps.more: no such key"),
        ({"train.steps": -7}, "train.steps: Input should be greater"),
    ],
)
def test_a_wrong_key_or_value_is_refused_and_changes_nothing(
    values: dict[str, object], message: str, project: Path
) -> None:
    with pytest.raises(ParamsError, match=message), params_override(project, values, print):
        pass
    assert (project / "params.yaml").read_text() == TEXT


def test_a_key_below_a_value_that_is_no_section_names_the_whole_to_set(project: Path) -> None:
    with (
        pytest.raises(
            ParamsError, match=r"train\.second_phase\.steps: .* train\.second_phase has no keys there: set all"
        ),
        params_override(project, {"train.second_phase.steps": 5}, print),
    ):
        pass
    second = {"steps": 5, "freeze": "none", "learning_rate": 0.001}
    with params_override(project, {"train.second_phase": second}, print):
        assert read_params(project / "params.yaml").train.model_dump()["second_phase"] == second
