"""Five steps at the smallest input, through the pipeline's own stages: train, export, evaluate, and freeze."""

import time
from pathlib import Path
from typing import get_args

from studies.models.result import SmallRun
from studies.stages import PARAMS, Changes, run_stages, write_params
from tasks.artifacts.evaluation import read_evaluation
from tasks.artifacts.training import read_restore_summary, read_training_figures
from tasks.artifacts.variant_losses import read_variant_losses
from tasks.model.definitions import MODELS
from tasks.params import VariantName

STEPS = 5
_SMALLEST_PX = 256
_DATA = Path("data/sample")
_SAMPLE: Changes = {
    "ingest": {"source": str(_DATA / "sample"), "images": str(_DATA / "sample")},
    "sample": {"images": 40, "faults": False},
}
_TRAIN = {"recipe": None, "steps": STEPS, "batch_size": 2, "warmup_steps": 0, "eval_every": STEPS, "save_every": STEPS}


def draw_sample() -> None:
    """Write data/sample/records, of 40 drawn images."""
    if not (_DATA / "records").is_dir():
        params = write_params(PARAMS, _DATA, _DATA, _SAMPLE)
        run_stages(("sample", "ingest", "validate", "split", "records"), params)


def small_run(model: str) -> SmallRun:
    """Train, export and score `model`, then train again with the backbone frozen.

    Raises:
        PipelineError: as the stages raise it.
    """
    side_px = smallest_side(model)
    start = time.monotonic()
    changes = {**_SAMPLE, "model": {"name": model, "side_px": side_px}, "checkpoint": {"source": "base"}}
    export = {"variants": list(get_args(VariantName)), "calibration_images": 4, "on_loss": "leave_out"}
    first = write_params(
        PARAMS,
        Path("runs") / model,
        _DATA,
        {**changes, "train": {**_TRAIN, "freeze": "none", "cache": {"use": "off"}}, "export": export},
    )
    run_stages(("checkpoint", "configure", "train", "export", "evaluate"), first)
    seconds = time.monotonic() - start
    source = {"checkpoint": {"source": str(first.paths.trained)}}
    second = write_params(
        PARAMS,
        Path("runs") / f"{model}-frozen",
        _DATA,
        {**changes, **source, "train": {**_TRAIN, "freeze": "backbone", "cache": {"use": "memory", "copies": 1}}},
    )
    run_stages(("checkpoint", "configure", "train"), second)
    figures, frozen = (read_training_figures(params.paths.metrics_train) for params in (first, second))
    variants = read_variant_losses(first.paths.detections)
    restored = read_restore_summary(second.paths.trained)
    modules = restored.modules if restored else []
    return SmallRun(
        side_px=side_px,
        seconds=seconds,
        loss=figures.loss,
        mAP=read_evaluation(first.paths.metrics_evaluate).saved_model.mean_ap,
        variants={each.name: each.size_mb for each in variants.scored},
        left_out={str(name): reason for name, reason in variants.left_out.items()},
        frozen_variables=frozen.frozen_variables,
        frozen_max_abs_change=max(frozen.frozen_max_abs_change, frozen.frozen_statistics_max_abs_change),
        restored=sum(module.restored for module in modules),
        variables=sum(module.variables for module in modules),
    )


def smallest_side(model: str) -> int:
    """The smallest input that params.yaml allows for the model, in pixels."""
    step_px = MODELS[model].side_step_px
    return -(-_SMALLEST_PX // step_px) * step_px
