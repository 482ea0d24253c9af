"""What a leave-one-out run that was killed may go on with."""

from pathlib import Path

import pytest

from studies import stages
from studies.leave_one_out.run import _key
from studies.stages import PARAMS, write_params


def test_another_config_starts_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = write_params(PARAMS, tmp_path / "run", tmp_path / "data", {})
    params.paths.validated.parent.mkdir(parents=True)
    params.paths.validated.write_text("{}")
    monkeypatch.setattr(stages, "ROOT", tmp_path)
    config = tmp_path / "configs" / "own" / "x.config"
    config.parent.mkdir(parents=True)
    config.write_text("model {}")
    before = _key(params)
    assert _key(params) == before
    config.write_text("model { ssd {} }")
    assert _key(params) != before
