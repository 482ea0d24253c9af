from pathlib import Path

import pytest

from flows.overrides import params_override
from tasks.errors import ParamsError
from tasks.params import read_params

TEXT = (Path(__file__).parents[2] / "params.yaml").read_text()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text(TEXT)
    return tmp_path


def steps(project: Path) -> int:
    return read_params(project / "params.yaml").train.steps


def test_values_are_kept_after_a_run_that_ended_well(project: Path) -> None:
    with params_override(project, {"train.steps": 7, "train.augment.flip": 0.25}):
        assert steps(project) == 7
    assert steps(project) == 7
    text = (project / "params.yaml").read_text()
    assert "# chooses the best checkpoint" in text
    assert [path.name for path in project.iterdir()] == ["params.yaml"]


def test_a_run_that_failed_leaves_params_yaml_as_it_was(project: Path) -> None:
    def fail() -> None:
        with params_override(project, {"train.steps": 7}):
            raise RuntimeError("the stage failed")

    with pytest.raises(RuntimeError, match="the stage failed"):
        fail()
    assert (project / "params.yaml").read_text() == TEXT
    assert [path.name for path in project.iterdir()] == ["params.yaml"]


def test_the_next_run_cleans_up_after_a_killed_one(project: Path) -> None:
    (project / "params.yaml").rename(project / "params.yaml.before-run")
    (project / "params.yaml").write_text(TEXT.replace("steps: 300", "steps: 7"))
    with params_override(project, {}):
        assert steps(project) == 300


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
    with pytest.raises(ParamsError, match=message), params_override(project, values):
        pass
    assert (project / "params.yaml").read_text() == TEXT
