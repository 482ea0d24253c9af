"""A short training, and an export: `python -m tasks.diagnosis.trial PARAMS PRECISION STEPS EXPORT OUT`.

The real loop, on made-up images of the configured model's size, from random weights. CUDA_VISIBLE_DEVICES says where.
EXPORT is 1 or 0. OUT gets, as JSON, what `Trial` has.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.detector.initialise import initialise
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.network import Network, build_network
from tasks.detector.pipeline_config import PipelineConfig, fill_in
from tasks.detector.runtime import prepare_runtime
from tasks.detector.users_config import read_users_config
from tasks.exporting.saved_model import export_saved_model
from tasks.exporting.variants import export_float32
from tasks.ground.files import write_json
from tasks.ground.process import silence_libraries
from tasks.model.definitions import find_model
from tasks.params import Params, read_params
from tasks.training.short_run import train_on_made_up_images, weights_digest

if TYPE_CHECKING:
    from tasks.params import TrainParams

_CLASSES = 3
# Whatever params.yaml has: a loss that rises shall tell of the device.
_LEARNING_RATE = 1e-3


def main(params_file: str, precision: str, steps: str, export: str, out: str) -> None:
    """Train, export if asked to, and write the result."""
    silence_libraries()
    params = read_params(Path(params_file))
    train = params.train.model_copy(
        update={
            "steps": int(steps),
            "eval_every": int(steps),
            "save_every": int(steps),
            "patience": None,
            "max_minutes": None,
            "decay_steps": None,
            "warmup_steps": 0,
            "learning_rate": _LEARNING_RATE,
            "precision": precision,
        }
    )
    on_gpu = prepare_runtime(train.seed, train.precision)
    with tempfile.TemporaryDirectory() as folder:
        config = _config(params, train, Path(folder))
        network = build_network(config, is_training=True)
        initialise(network, network.variables, train.seed)
        steps_taken = train_on_made_up_images(network, train, Path(folder))
        result: dict[str, Any] = {
            "on_gpu": on_gpu,
            "losses": [row.loss for row in steps_taken],
            "step_ms": [row.step_ms for row in steps_taken],
            "weights": weights_digest(network),
        }
        if export == "1":
            result |= _export(network, config, Path(folder), params.export.max_detections)
    write_json(Path(out), result)


def _config(params: Params, train: "TrainParams", folder: Path) -> PipelineConfig:
    model = find_model(params.model.name, params.model.side_px)
    config = read_users_config(model) if isinstance(model, Path) else pipeline_proto(model)
    fill_in(config, num_classes=_CLASSES, train=train, export=params.export, records=folder, fine_tune_checkpoint=None)
    return config


def _export(network: Network, config: PipelineConfig, folder: Path, max_detections: int) -> dict[str, float | None]:
    start = time.monotonic()
    export_saved_model(network, folder / "saved_model")
    tflite = folder / "model.tflite"
    if "TFLite" not in network.architecture.unavailable:
        export_float32(network, config, tflite, max_detections=max_detections)
    saved = sum(file.stat().st_size for file in (folder / "saved_model").rglob("*") if file.is_file())
    return {
        "export_s": time.monotonic() - start,
        "saved_model_mb": saved / 1e6,
        "tflite_mb": tflite.stat().st_size / 1e6 if tflite.exists() else None,
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
