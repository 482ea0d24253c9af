"""What the stock loop and the pipeline share: the same first weights, and the same scoring of the last ones.

`python -m bench.stock_checkpoint start PARAMS FOLDER` writes FOLDER/start/ckpt-1, the weights that `train` starts from,
and FOLDER/pipeline.config, by which the stock loop starts from them. `... score PARAMS FOLDER MODEL_DIR REPORT` scores
the last checkpoint in MODEL_DIR on the validation records, as `train` scores its own.
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from tasks.dataset.dataset import Dataset
from tasks.detector.initialise import initialise
from tasks.detector.network import Network, build_network
from tasks.detector.pipeline_config import read_pipeline_config, write_pipeline_config
from tasks.detector.restore import checkpoint_values, restore
from tasks.detector.runtime import prepare_runtime
from tasks.metrics.coco import coco_figures
from tasks.model.label_map import read_label_map
from tasks.params import Params, read_params
from tasks.tfrecords.tf_example import read_split, shards_of
from tasks.training.validation import RecordsDetector

_START = "start/ckpt-1"


def write_start(params: Params, folder: Path) -> None:
    """The weights that `train` has before its first step, and the stock loop's pipeline.config."""
    paths = params.paths
    prepare_runtime(params.train.seed)
    config = read_pipeline_config(paths.pipeline_config)
    network = build_network(config, is_training=True)
    restored = restore(network, paths.base, read_label_map(paths.records / "label_map.pbtxt"))
    initialise(network, network.variables.keys() - restored.keys, params.train.seed)
    # Not `write`: the stock loop also wants the counter that `save` adds.
    tf.train.Checkpoint(model=network.model).save(str(folder / _START.removesuffix("-1")))
    config.train_config.fine_tune_checkpoint = str(folder / _START)
    # All of the model: `detection` would leave out the heads.
    config.train_config.fine_tune_checkpoint_type = "full"
    write_pipeline_config(config, folder / "pipeline.config")


def score(params: Params, folder: Path, model_dir: Path) -> dict[str, float]:
    """Figures of the stock loop's last checkpoint, and how far its first one is from the start of `train`."""
    paths = params.paths
    classes = read_label_map(paths.records / "label_map.pbtxt")
    network = build_network(read_pipeline_config(paths.pipeline_config), is_training=True)
    manager = tf.train.get_checkpoint_state(str(model_dir))
    first, *_, last = manager.all_model_checkpoint_paths
    first_values = checkpoint_values(Path(first))
    start = checkpoint_values(folder / _START)
    difference = max(float(np.max(np.abs(first_values[key] - value), initial=0.0)) for key, value in start.items())
    _assign(network, Path(last))
    val = Dataset(paths.records, classes, read_split(paths.records, "val"))
    found = RecordsDetector(network, shards_of(paths.records, "val"), val.images, classes)()
    figures = coco_figures(val, found)
    return {"AP50": figures.ap50 or 0.0, "mAP": figures.mean_ap or 0.0, "start_difference": difference}


def _assign(network: Network, prefix: Path) -> None:
    """Every variable of `network` from a checkpoint; a KeyError where it lacks one."""
    values = checkpoint_values(prefix)
    for key, variable in network.variables.items():
        variable.assign(values[key])


def main(command: str, params_path: str, folder: str, *rest: str) -> None:
    """Run one of the two commands."""
    params = read_params(Path(params_path))
    if command == "start":
        write_start(params, Path(folder))
    else:
        model_dir, report = rest
        Path(report).write_text(json.dumps(score(params, Path(folder), Path(model_dir))), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
