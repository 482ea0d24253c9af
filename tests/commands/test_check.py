"""`python -m tasks check`: params.yaml is refused before DVC removes anything."""

from pathlib import Path

import pytest
import yaml

from tasks.commands.check import check
from tasks.errors import ConfigError

PARAMS = Path(__file__).parents[2] / "params.yaml"


def write(folder: Path, model: dict[str, object]) -> Path:
    content = yaml.safe_load(PARAMS.read_text())
    content["model"] |= model
    file = folder / "params.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


def test_the_projects_own_params_are_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(params=write(tmp_path, {}))
    assert capsys.readouterr().out == f"{tmp_path / 'params.yaml'} is valid\n"


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        ({"name": "efficientdet_d0"}, "did you mean ssd_efficientdet_d0_512x512"),
        ({"name": "other/mine.config"}, "other/mine.config is not below configs/"),
        ({"name": "configs/missing.config"}, "there is no file configs/missing.config"),
        ({"name": "configs/missing.config", "side_px": 512}, "model.side_px: configs/missing.config says its input"),
        ({"name": "ssd_efficientdet_d0_512x512", "side_px": 320}, "model.side_px: "),
    ],
)
def test_a_model_that_there_is_not_is_refused(tmp_path: Path, model: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        check(params=write(tmp_path, model))
