"""The weights that training starts from are scored where they know classes of the data by name."""

from pathlib import Path

import pytest
import tensorflow as tf

from tasks.detector.initialise import initialise
from tasks.model.label_map import write_label_map
from tasks.params import CacheParams
from tasks.stages.train import train
from tests.artifacts.base_descriptions import describe_base
from tests.detector.toy_network import toy_network
from tests.training.train_params import train_params

pytestmark = pytest.mark.slow


def trained(inputs: Path, base: Path, folder: Path) -> list[str]:
    """Train from `base`; the lines of the curve of validation mAP, step and score."""
    train(
        train_params(
            steps=2,
            batch_size=2,
            warmup_steps=1,
            eval_every=1,
            save_every=2,
            freeze="none",
            cache=CacheParams(use="off", copies=0, dtype="float32", memory_mb=1),
        ),
        pipeline_config=inputs / "pipeline.config",
        records=inputs / "records",
        base=base,
        trained=folder / "trained",
        metrics_train=folder / "train.json",
        plots_train=folder / "plots",
        resume=folder / "resume",
        tensorboard=folder / "logs",
    )
    (curve,) = (folder / "plots").rglob("mAP.tsv")
    return curve.read_text().splitlines()[1:]


def base_for(base: Path, classes: tuple[str, ...]) -> Path:
    network = toy_network()
    initialise(network, network.variables, seed=3)
    describe_base(base, "tf_checkpoint", source="mine")
    write_label_map(classes, base / "label_map.pbtxt")
    tf.train.Checkpoint(model=network.model).write(str(base / "checkpoint" / "ckpt-0"))
    return base


@pytest.mark.parametrize("classes", [("Dog", "bird"), ("cat", "dog")], ids=["one of them", "all in the same order"])
def test_a_known_class_has_a_score_at_step_0_which_is_never_the_best(
    classes: tuple[str, ...], stage_inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    curve = trained(stage_inputs, base_for(tmp_path / "base", classes), tmp_path)
    assert "before the first step: validation mAP" in capsys.readouterr().out
    assert len(curve) == 3
    assert (tmp_path / "trained" / "best").is_dir()
    assert '"best_step": 0' not in (tmp_path / "train.json").read_text()


def test_weights_that_know_none_of_the_classes_are_not_scored(
    stage_inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    curve = trained(stage_inputs, base_for(tmp_path / "base", ("fish", "bird")), tmp_path)
    assert "before the first step" not in capsys.readouterr().out
    assert len(curve) == 2
