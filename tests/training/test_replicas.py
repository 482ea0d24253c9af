"""One network on several replicas learns what it learns on one. In processes of their own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tasks.detector.restore import checkpoint_values
from tasks.errors import TrainingError
from tasks.training.replicas import Replicas, available_replicas
from tests.ports import free_ports
from tests.training.train_params import train_params

ROOT = Path(__file__).parents[2]
STEPS = 6
# Sums over replicas are taken in another order than sums over one batch, and differences grow step by step.
TOLERANCE = 1e-3
# Adam would take the sign of a gradient that is next to nothing, and a backbone of random numbers has such: rounding
# would decide what is learned.
NO_CACHE = {"use": "off", "copies": 1, "dtype": "float32", "memory_mb": 1}
SMOOTH = {"optimizer": "momentum", "learning_rate": 0.01, "freeze": "backbone", "cache": NO_CACHE}


class Worker:
    """A training process that has been started."""

    def __init__(
        self, stage_inputs: Path, out: Path, *, devices: int = 1, tf_config: str = "", **changes: object
    ) -> None:
        out.mkdir(exist_ok=True)
        params = train_params(
            **(
                {"steps": STEPS, "batch_size": 4, "warmup_steps": 2, "eval_every": 3, "save_every": 3}
                | SMOOTH
                | changes
            )
        )
        settings = {"folder": str(stage_inputs), "out": str(out), "devices": devices, "params": params.model_dump()}
        path = out / f"settings-{abs(hash(tf_config))}.json"
        path.write_text(json.dumps(settings))
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
        environment |= {"TF_CONFIG": tf_config} if tf_config else {}
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("one_worker.py")), str(path)],
            env=environment,
            cwd=out,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self) -> str:
        """What it printed, once it has ended well."""
        output, _ = self.process.communicate(timeout=900)
        assert self.process.returncode == 0, output[-3000:]
        return str(output)


def losses(out: Path) -> list[float]:
    rows = (out / "plots" / "plots" / "metrics" / "train" / "loss.tsv").read_text().splitlines()
    place = rows[0].split("\t").index("loss")
    return [float(row.split("\t")[place]) for row in rows[1:]]


@pytest.fixture(scope="module")
def alone(stage_inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("alone")
    Worker(stage_inputs, out).finish()
    return out


def assert_equal_learning(alone: Path, other: Path) -> None:
    np.testing.assert_allclose(losses(other), losses(alone), rtol=TOLERANCE)
    assert len(losses(alone)) == STEPS
    expected, found = (checkpoint_values(out / "trained" / "last" / "ckpt-0") for out in (alone, other))
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        if "save_counter" not in key:
            np.testing.assert_allclose(found[key], value, rtol=1e-2, atol=1e-3, err_msg=key)


@pytest.mark.slow
def test_two_machines_learn_what_one_does_and_only_the_chief_writes(
    stage_inputs: Path, alone: Path, tmp_path: Path
) -> None:
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    configs = [
        json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}) for index in range(2)
    ]
    workers = [Worker(stage_inputs, tmp_path, tf_config=config) for config in configs]
    outputs = [worker.finish() for worker in workers]

    assert_equal_learning(alone, tmp_path)
    assert "on 2 replicas" in outputs[0]
    assert "validation mAP" in outputs[0]
    assert "validation mAP" not in outputs[1]
    assert json.loads((tmp_path / "train.json").read_text())["frozen_max_abs_change"] == 0


@pytest.mark.slow
def test_two_devices_of_one_machine_learn_what_one_does(stage_inputs: Path, alone: Path, tmp_path: Path) -> None:
    Worker(stage_inputs, tmp_path, devices=2).finish()

    assert_equal_learning(alone, tmp_path)


@pytest.mark.slow
def test_bfloat16_trains_on_cached_features_too_and_leaves_float32_weights_and_curves(
    stage_inputs: Path, tmp_path: Path
) -> None:
    # At 64 px the coarsest maps are one pixel wide, and TensorFlow 2.15's bfloat16 gradient of a depthwise convolution
    # with stride 2 over one pixel reads memory that nobody wrote, on a CPU. No model of the usual sizes has such a map.
    larger = tmp_path / "inputs"
    shutil.copytree(stage_inputs, larger)
    config = larger / "pipeline.config"
    config.write_text(config.read_text().replace("height: 64", "height: 128").replace("width: 64", "width: 128"))
    in_memory = NO_CACHE | {"use": "memory"}
    Worker(larger, tmp_path, precision="bfloat16", tensorboard=True, cache=in_memory).finish()

    assert np.isfinite(losses(tmp_path)).all()
    values = checkpoint_values(tmp_path / "trained" / "last" / "ckpt-0")
    assert {value.dtype for key, value in values.items() if "save_counter" not in key} == {np.dtype(np.float32)}
    assert list((tmp_path / "logs").glob("events.out.tfevents.*"))


def test_a_batch_that_cannot_be_divided_is_refused() -> None:
    replicas = Replicas(tf.distribute.get_strategy())
    replicas.count = 3
    assert replicas.share(9) == 3
    with pytest.raises(TrainingError, match="batch_size 8 cannot be divided among 3 replicas"):
        replicas.share(8)


@pytest.mark.parametrize(
    "text", ["no JSON", "[]", '{"cluster": {"worker": ["a:1", "b:2"]}}', '{"cluster": 5, "task": {}}']
)
def test_an_invalid_tf_config_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(TrainingError, match="TF_CONFIG: expected"):
        available_replicas()
