"""What the runs of a model start from: the project's base, or what the model learns from generated scenes first."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

from studies.base.draw import ANNOTATIONS, IMAGES, draw
from studies.base.params import ScenesParams
from studies.freeze.params import ModelArm, SceneTraining, StudyParams
from studies.freeze.places import RUNS, STARTS
from studies.freeze.record import Start, write_start
from studies.stages import DATA_STAGES, PARAMS, ROOT, TRAINING_STAGES, run_stages, write_params
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.pipeline_config import write_pipeline_config
from tasks.errors import ConfigError
from tasks.ground.files import replacing
from tasks.model.definitions import CONFIGS, find_model

# What the base's study draws with; its stage `materials` fetches them.
MATERIALS = ROOT / "studies" / "base" / "materials"
SCENE_STAGES = (*DATA_STAGES, *TRAINING_STAGES)


def start(name: str, study: StudyParams) -> None:
    """Write data/start/`name`: the value of `checkpoint.source`, and the weights where they are made here.

    Raises:
        PipelineError: as the stages raise it.
    """
    model, out = study.models[name], STARTS / name
    folder = RUNS / f"start-{name}"
    trained = None if model.start == "base" else _train_on_scenes(model, study.scenes, folder)
    with replacing(out, own_folder=True) as beside:
        beside.mkdir(parents=True)
        if trained:
            shutil.copytree(trained, beside / "trained")
        write_start(beside, Start(source=str(out / "trained") if trained else "base"))
    shutil.rmtree(folder, ignore_errors=True)


def _train_on_scenes(model: ModelArm, training: SceneTraining, folder: Path) -> Path:
    scenes = draw_once(training.count, folder)
    steps = training.steps
    no_similar_images = {"near_duplicate_distance": 0, "frame_run_distance": 0}
    changes: dict[str, dict[str, object]] = {
        "ingest": {"source": str(scenes / ANNOTATIONS), "images": str(scenes / IMAGES), "format": "coco"},
        "split": {"val_fraction": 0.05, "test_fraction": 0.0, **no_similar_images},
        "model": {"name": write_smaller_config(model.name, training.side_px), "side_px": None},
        "train": {"steps": steps, "warmup_steps": steps // 10, "eval_every": steps, "freeze": "none"},
    }
    params = write_params(PARAMS, folder, folder / "data", changes)
    run_stages(SCENE_STAGES, params)
    return params.paths.trained


def draw_once(count: int, folder: Path, materials: Path = MATERIALS) -> Path:
    """The folder of the scenes in `folder`: a killed run finds its own again, but not those of another study.yaml.

    Raises:
        PipelineError: the stage `materials` of studies/base has not run.
    """
    params = ScenesParams(seed=1, count=count, side_px=320, photo_share=0.6, workers=None)
    scenes = folder / f"scenes-{hashlib.sha256(params.model_dump_json().encode()).hexdigest()[:8]}"
    if not scenes.is_dir():
        draw(params, materials=materials, scenes=scenes)
    return scenes


def write_smaller_config(name: str, side_px: int) -> str:
    """Write a config for model `name` with an input of `side_px`; the value of `model.name` that finds it.

    Raises:
        ConfigError: `name` is a config itself.
    """
    model = find_model(name)
    if isinstance(model, Path):
        raise ConfigError(
            f"study.yaml: {name} is a config; a model that starts from scenes must be one of `model.name`"
        )
    config = Path(CONFIGS) / f"{model.name}-{side_px}.config"
    config.parent.mkdir(exist_ok=True)
    write_pipeline_config(pipeline_proto(replace(model, side_px=side_px)), config)
    return str(config)
