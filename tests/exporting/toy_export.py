"""A toy detector with as many different detections as it has anchors, exported."""

from functools import partial
from pathlib import Path

import numpy as np

from tasks.detector.network import Network, build_network
from tasks.detector.pipeline_config import PipelineConfig
from tasks.evaluation.preprocess import model_input
from tasks.exporting.onnx_model import export_onnx
from tasks.exporting.saved_model import export_saved_model
from tasks.model.resizer import Resizer
from tests.detector.toy_network import toy_config

# A photo as the toy detector takes it.
PREPARE = partial(model_input, resizer=Resizer(width=64, height=64))


def varied_config(
    *,
    num_classes: int = 3,
    score_threshold: float = 1e-8,
    max_detections: int = 100,
    keeps_proportions: bool = False,
) -> PipelineConfig:
    """The toy detector's pipeline config with another NMS."""
    config = toy_config(keeps_proportions=keeps_proportions)
    config.model.ssd.num_classes = num_classes
    nms = config.model.ssd.post_processing.batch_non_max_suppression
    nms.score_threshold = score_threshold
    nms.max_detections_per_class = nms.max_total_detections = max_detections
    return config


def varied_network(config: PipelineConfig) -> Network:
    """A network whose values are drawn so that boxes and scores differ from anchor to anchor, and overlap."""
    network = build_network(config, is_training=False)
    varied_values(network)
    return network


def varied_values(network: Network) -> None:
    """Draw the values of any network in that way."""
    rng = np.random.default_rng(0)
    for _, variable in sorted(network.variables.items()):
        if variable.name.startswith("moving_variance") or "/moving_variance" in variable.name:
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
        elif len(variable.shape) > 1:
            fan_in = np.prod(variable.shape[:-1])
            variable.assign(rng.normal(0, 1.5 / np.sqrt(fan_in), variable.shape))
        elif variable.dtype.is_floating:
            variable.assign(rng.normal(0.5, 0.5, variable.shape))


def export_both(folder: Path, config: PipelineConfig, classes: tuple[str, ...]) -> tuple[Path, Path]:
    """A SavedModel and an ONNX file of one network."""
    network = varied_network(config)
    export_saved_model(network, folder / "saved_model")
    export_onnx(network, config, folder / "model.onnx", classes=classes)
    return folder / "saved_model", folder / "model.onnx"
