"""Single runs of the study: the pipeline's own stages, but with the model, start, freeze and seed of the matrix."""

import shutil
from pathlib import Path

from studies.freeze.params import StudyParams
from studies.freeze.places import DATA, DETECTIONS, RESULTS, RUN, RUNS, STARTS, TIMING, run_name, timing_name
from studies.freeze.record import Curves, Record, RunRecord, read_start
from studies.last_weights import detect_with_last_weights
from studies.stages import PARAMS, TRAINING_STAGES, code_version, run_stages, write_params
from tasks.artifacts.artifact import write_artifact
from tasks.artifacts.training import read_training_figures
from tasks.dataset.coco_json import write_detections
from tasks.errors import PipelineError
from tasks.ground.files import replacing
from tasks.params import Params
from tasks.report_page.curves import read_curve

CODE = ("studies/freeze/run.py", "studies/freeze/start.py", "studies/base/**/*.py")


def train(model: str, arm: str, seed: int, study: StudyParams) -> None:
    """One run of the matrix: its curves, its audit, and what its last weights detect in the test images.

    Raises:
        PipelineError: as the stages raise it; a frozen variable that moved is one.
    """
    name = run_name(model, arm, seed)
    # A run that was killed goes on: the folder stays until there is a result.
    folder = RUNS / name
    params = _train(folder, model, study, {**study.training(model), "freeze": study.arms[arm], "seed": seed})
    images, detections = detect_with_last_weights(params, "test")
    record = RunRecord(seed=seed, **dict(_record(model, arm, params)))
    with replacing(RESULTS / name, own_folder=True) as beside:
        beside.mkdir(parents=True)
        write_artifact(beside / RUN, record)
        write_detections(detections, images, beside / DETECTIONS)
    shutil.rmtree(folder)


def timing(model: str, arm: str, study: StudyParams) -> None:
    """The same arm without the cache, for as many steps as measuring a step takes.

    Raises:
        PipelineError: as the stages raise it.
    """
    name = timing_name(model, arm)
    folder = RUNS / f"timing-{name}"
    cache = {"use": "off", "copies": 0, "dtype": "float32", "memory_mb": 1}
    length = {"steps": study.timing_steps, "eval_every": study.timing_steps}
    changes = {**study.training(model), **length, "freeze": study.arms[arm], "cache": cache}
    record = _record(model, arm, _train(folder, model, study, changes))
    TIMING.mkdir(exist_ok=True)
    write_artifact(TIMING / f"{name}.json", record)
    shutil.rmtree(folder)


def _train(folder: Path, model: str, study: StudyParams, changes: dict[str, object]) -> Params:
    """Train in `folder`, where a run that was killed has left its state."""
    source = read_start(STARTS / model).source
    sections: dict[str, dict[str, object]] = {
        "model": {"name": study.models[model].name},
        "checkpoint": {"source": source},
        "train": changes,
    }
    params = write_params(PARAMS, folder, DATA, sections)
    run_stages(TRAINING_STAGES, params)
    return params


def _record(model: str, arm: str, params: Params) -> Record:
    """What a finished training in the folder of `params` measured."""
    figures = read_training_figures(params.paths.metrics_train)
    folder = params.paths.plots_train / "plots" / "metrics"
    curves = Curves(
        loss=read_curve(folder / "train/loss.tsv"),
        step_ms=read_curve(folder / "train/step_ms.tsv"),
        mAP=read_curve(folder / "val/mAP.tsv"),
        AP50=read_curve(folder / "val/AP50.tsv"),
    )
    if not curves.step_ms or not curves.mAP:
        raise PipelineError(f"{folder}: no curves of the run; the data have no val images, or dvclive changed")
    return Record(
        model=model,
        arm=arm,
        code=code_version(*CODE),
        startup_s=figures.startup_s,
        frozen_variables=figures.frozen_variables,
        frozen_max_abs_change=figures.frozen_max_abs_change,
        frozen_statistics_max_abs_change=figures.frozen_statistics_max_abs_change,
        curves=curves,
    )
