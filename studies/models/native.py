"""What a model costs at the size that its name says: parameters, operations, milliseconds, memory."""

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from studies.models.result import NativeCost
from studies.stages import PARAMS, write_params
from tasks.detector.initialise import initialise
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.network import Network, build_network
from tasks.detector.pipeline_config import fill_in
from tasks.detector.runtime import prepare_runtime
from tasks.ground.process import peak_memory_mb
from tasks.model.definitions import MODELS
from tasks.training.short_run import train_on_made_up_images

if TYPE_CHECKING:
    from tasks.params import TrainParams

_CLASSES, _BATCH = 3, 2
# The first step traces, and the second allocates.
_STEPS, _NOT_COUNTED = 5, 2
_DETECTIONS = 5


def native_cost(model: str) -> NativeCost:
    """Measure `model`, with made-up images; in a process of its own, whose memory is part of the result."""
    definition = MODELS[model]
    with tempfile.TemporaryDirectory() as folder:
        params = write_params(PARAMS, Path(folder), Path(folder), {"model": {"name": model}})
        changes = {"steps": _STEPS, "eval_every": _STEPS, "save_every": _STEPS, "batch_size": _BATCH, "warmup_steps": 0}
        train = params.train.model_copy(update=changes)
        config = pipeline_proto(definition)
        fill_in(
            config,
            num_classes=_CLASSES,
            train=train,
            export=params.export,
            records=Path(folder),
            fine_tune_checkpoint=None,
        )
        prepare_runtime(train.seed, train.precision)
        network = build_network(config, is_training=True)
        initialise(network, network.variables, train.seed)
        step_ms = _step_ms(network, train, Path(folder))
        peak_mb = peak_memory_mb()
        gflops, detection_ms = _detection(build_network(config, is_training=False))
    return NativeCost(
        side_px=definition.side_px,
        parameters=sum(int(np.prod(variable.shape)) for variable in network.variables.values()),
        gflops=gflops,
        step_ms=step_ms,
        batch_size=_BATCH,
        peak_memory_mb=peak_mb,
        detection_ms=detection_ms,
    )


def _step_ms(network: Network, train: "TrainParams", folder: Path) -> float:
    rows = train_on_made_up_images(network, train, folder)
    return statistics.median(row.step_ms for row in rows[_NOT_COUNTED:])


def _detection(network: Network) -> tuple[float, float]:
    """10^9 operations of one detection, and its median milliseconds."""

    def traced(images: tf.Tensor) -> dict[str, tf.Tensor]:
        shapes = network.whole_shapes(images)
        found: dict[str, tf.Tensor] = network.model.postprocess(network.forward(images, training=False), shapes)
        return {name: found[name] for name in ("detection_boxes", "detection_scores")}

    image = tf.random.stateless_uniform([1, network.height, network.width, 3], [1, 2], maxval=255.0)
    detect = tf.function(traced, autograph=False).get_concrete_function(image)
    options = tf.compat.v1.profiler.ProfileOptionBuilder(
        tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    ).with_empty_output()
    operations = tf.compat.v1.profiler.profile(detect.graph, options=options.build()).total_float_ops
    seconds = []
    for _ in range(_DETECTIONS + 1):
        start = time.monotonic()
        detect(image)["detection_boxes"].numpy()
        seconds.append(time.monotonic() - start)
    return operations / 1e9, 1000 * statistics.median(seconds[1:])
