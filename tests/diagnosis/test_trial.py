"""The configuration that `doctor` tries."""

from pathlib import Path

import pytest

from tasks.diagnosis.trial import _config
from tasks.errors import ConfigError
from tasks.params import read_params

ROOT = Path(__file__).parents[2]


def test_a_config_that_cannot_be_trained_is_refused_before_it_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = read_params(ROOT / "params.yaml")
    monkeypatch.chdir(tmp_path)
    Path("configs").mkdir()
    Path("configs/a.config").write_text("train_config { batch_size: 8 }")
    mine = params.model_copy(update={"model": params.model.model_copy(update={"name": "configs/a.config"})})

    with pytest.raises(ConfigError, match=r"configs/a\.config: its model is missing; supported are"):
        _config(mine, params.train, tmp_path)
