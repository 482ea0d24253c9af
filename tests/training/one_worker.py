"""Runs the train stage on a tiny network, for tests that need processes of their own: `one_worker.py SETTINGS.json`."""

import json
import sys
from pathlib import Path

import tensorflow as tf

import tasks.stages.train as stage
from tasks.params import TrainParams
from tasks.training.replicas import Replicas
from tests.detector import toy_network  # noqa: F401 - so that a pipeline.config may name it


def main() -> None:
    """Train as the settings say: `params`, `folder` (config, records, base; results too), `devices`."""
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    folder, out = Path(settings["folder"]), Path(settings["out"])
    if settings["devices"] > 1:
        # Two CPUs in one process stand for two GPUs: the strategy is the same.
        (cpu,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * settings["devices"])
        stage.available_replicas = lambda: Replicas(  # type: ignore[attr-defined] # imported there
            tf.distribute.MirroredStrategy([f"CPU:{number}" for number in range(settings["devices"])])
        )
    stage.train(
        TrainParams.model_validate(settings["params"]),
        pipeline_config=folder / "pipeline.config",
        records=folder / "records",
        base=folder / "base",
        trained=out / "trained",
        metrics_train=out / "train.json",
        plots_train=out / "plots",
        resume=out / "resume",
        tensorboard=out / "logs",
    )


if __name__ == "__main__":
    main()
