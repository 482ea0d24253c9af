"""The audit can fail: with freezing broken on purpose, the train stage ends in an error and keeps nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import TrainingError
from tasks.stages.train import train
from tasks.training import preparation
from tasks.training.freeze import trainable
from tests.training.train_params import train_params


def hold_nothing(network: Any, keys: set[str]) -> None:
    """As the stock loop: no layer is put into inference mode."""


def train_everything(network: Any, frozen: set[str]) -> dict[str, Any]:
    """As the stock loop: gradients over every variable."""
    return trainable(network, set())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "broken", "message"),
    [
        ("hold_still", hold_nothing, r"backbone block 0 \(weights by 0, moving statistics by 0\.\d+"),
        ("trainable", train_everything, r"backbone block 0 \(weights by 0\.\d+, moving statistics by 0\)"),
    ],
    ids=["statistics", "weights"],
)
def test_a_freeze_that_does_not_hold_fails_the_stage(
    name: str,
    broken: Callable[..., Any],
    message: str,
    stage_inputs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(preparation, name, broken)
    with pytest.raises(TrainingError, match=f"train.freeze 2: frozen variables moved: {message}"):
        train(
            train_params(steps=2, batch_size=2, warmup_steps=1, eval_every=2, save_every=2, freeze=2),
            pipeline_config=stage_inputs / "pipeline.config",
            records=stage_inputs / "records",
            base=stage_inputs / "base",
            trained=tmp_path / "trained",
            metrics_train=tmp_path / "train.json",
            plots_train=tmp_path / "plots",
            resume=tmp_path / "resume",
            tensorboard=tmp_path / "logs",
        )
    assert not (tmp_path / "trained").exists()
    assert not (tmp_path / "train.json").exists()
