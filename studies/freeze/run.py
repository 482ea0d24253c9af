"""What each model starts from, and single runs: the pipeline's own stages, but for model, start, freeze and seed."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from studies.base.draw import ANNOTATIONS, IMAGES, draw
from studies.base.params import ScenesParams
from studies.freeze.params import ModelArm, SceneTraining, StudyParams
from studies.freeze.places import DATA, DETECTIONS, PHOTOS, RESULTS, RUN, STARTS, TIMING
from studies.trials.run import PARAMS, code, detected, params_of, prepare_data
from tasks.artifacts.training import read_training_figures
from tasks.dataset.coco_json import write_detections
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.pipeline_config import write_pipeline_config
from tasks.errors import ConfigError, PipelineError
from tasks.ground.files import read_json, replacing, write_json
from tasks.model.definitions import CONFIGS, find_model
from tasks.params import Params
from tasks.report_page.curves import read_curve
from tasks.stages.table import run_stage

_RUNS = Path("runs")
_TRAINING = ("checkpoint", "configure", "train")
_CODE = ("studies/freeze/run.py", "studies/base/**/*.py")
_SCENE_STAGES = ("ingest", "validate", "split", "records", *_TRAINING)


def data(study: StudyParams) -> None:
    """Records of the photographs."""
    prepare_data(PHOTOS, study.data)


def start(name: str, study: StudyParams) -> None:
    """Write data/start/`name`: what `checkpoint.source` is to be, and the weights where they are made here.

    Raises:
        PipelineError: as the stages raise it.
    """
    model, out = study.models[name], STARTS / name
    folder = _RUNS / f"start-{name}"
    trained = None if model.start == "base" else _train_on_scenes(model, study.scenes, folder)
    with replacing(out) as beside:
        beside.mkdir(parents=True)
        if trained:
            shutil.copytree(trained, beside / "trained")
        write_json(beside / "start.json", {"source": str(out / "trained") if trained else "base"})
    shutil.rmtree(folder, ignore_errors=True)


def train(name: str, arm: str, seed: int, study: StudyParams) -> dict[str, Any]:
    """One run of the matrix: its curves, its audit, and what its last weights find in the test part.

    Raises:
        PipelineError: as the stages raise it; a frozen variable that moved is one.
    """
    key = f"{name}-{arm}-{seed}"
    # A run that was killed goes on: the folder stays until there is a result.
    folder = _RUNS / key
    changes = {**study.training(name), "freeze": study.arms[arm], "seed": seed}
    params = _train(folder, name, study, changes)
    images, found = detected(params, "test")
    noted = {"model": name, "arm": arm, "seed": seed, **_account(params)}
    with replacing(RESULTS / key) as beside:
        beside.mkdir(parents=True)
        write_json(beside / RUN, noted)
        write_detections(found, images, beside / DETECTIONS)
    shutil.rmtree(folder)
    return noted


def timing(name: str, arm: str, study: StudyParams) -> dict[str, Any]:
    """The same arm without the cache, for as many steps as it takes to know what one takes.

    Raises:
        PipelineError: as the stages raise it.
    """
    folder = _RUNS / f"timing-{name}-{arm}"
    cache = {"use": "off", "copies": 0, "dtype": "float32", "memory_mb": 1}
    length = {"steps": study.timing_steps, "eval_every": study.timing_steps}
    params = _train(folder, name, study, {**study.training(name), **length, "freeze": study.arms[arm], "cache": cache})
    noted = {"model": name, "arm": arm, **_account(params)}
    TIMING.mkdir(exist_ok=True)
    write_json(TIMING / f"{name}-{arm}.json", noted)
    shutil.rmtree(folder)
    return noted


def _train(folder: Path, name: str, study: StudyParams, changes: dict[str, Any]) -> Params:
    """Train in `folder`, where a run that was killed has left its state."""
    source = read_json(STARTS / name / "start.json", "what the stage start writes")["source"]
    sections = {"model": {"name": study.models[name].name}, "checkpoint": {"source": source}, "train": changes}
    params = params_of(PARAMS, folder, DATA, sections)
    for stage in _TRAINING:
        run_stage(stage, params)
    return params


def _account(params: Params) -> dict[str, Any]:
    """What the run says of itself: code, figures and curves."""
    paths = params.paths
    figures = read_training_figures(paths.metrics_train)
    folder = paths.plots_train / "plots" / "metrics"
    curves = {
        name: read_curve(folder / f"{name}.tsv") for name in ("train/loss", "train/step_ms", "val/mAP", "val/AP50")
    }
    if not curves["train/step_ms"] or not curves["val/mAP"]:
        raise PipelineError(f"{folder}: no curves of the run; the data have no validation part, or dvclive changed")
    kept = {"startup_s", "frozen_variables", "frozen_max_abs_change", "frozen_statistics_max_abs_change"}
    return {"code": code(*_CODE), **figures.model_dump(include=kept), "curves": curves}


def _scenes(count: int, folder: Path) -> Path:
    """Where the scenes are, drawn once: a killed run finds them again, but not those of another study.yaml."""
    drawn = ScenesParams(seed=1, count=count, side_px=320, kinds_per_family=6, classes="families", workers=None)
    scenes = folder / f"scenes-{hashlib.sha256(drawn.model_dump_json().encode()).hexdigest()[:8]}"
    if not scenes.is_dir():
        draw(drawn, scenes=scenes)
    return scenes


def _smaller(name: str, side_px: int) -> str:
    """What `model.name` is to be for model `name` with another input size: a config written where one is looked for."""
    model = find_model(name)
    if isinstance(model, Path):
        raise ConfigError(
            f"study.yaml: {name} is a config; a model that starts from scenes must be one of `model.name`"
        )
    config = Path(CONFIGS) / f"{model.name}-{side_px}.config"
    config.parent.mkdir(exist_ok=True)
    write_pipeline_config(pipeline_proto(replace(model, side_px=side_px)), config)
    return str(config)


def _train_on_scenes(model: ModelArm, training: SceneTraining, folder: Path) -> Path:
    scenes = _scenes(training.count, folder)
    steps = training.steps
    params = params_of(
        PARAMS,
        folder,
        folder / "data",
        {
            "ingest": {"source": str(scenes / ANNOTATIONS), "images": str(scenes / IMAGES), "format": "coco"},
            "split": {
                "val_fraction": 0.05,
                "test_fraction": 0.0,
                "near_duplicate_distance": 0,
                "frame_run_distance": 0,
            },
            "model": {"name": _smaller(model.name, training.side_px)},
            "checkpoint": {"source": str(training.source)},
            "train": {"steps": steps, "warmup_steps": steps // 10, "eval_every": steps, "freeze": "none"},
        },
    )
    for stage in _SCENE_STAGES:
        run_stage(stage, params)
    return params.paths.trained
