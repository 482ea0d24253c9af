"""One run: the pipeline's own stages with studies/params.yaml, changed by the arm, the steps and the seed."""

import shutil
from pathlib import Path

from studies.last_weights import detect_with_last_weights
from studies.stages import PARAMS, TRAINING_STAGES, Changes, code_version, run_stages, write_params
from studies.trials.result import Trial, TrialResult
from tasks.artifacts.artifact import write_artifact
from tasks.artifacts.training import read_training_figures
from tasks.errors import DataError
from tasks.metrics.coco import coco_figures


def train_and_score(trial: Trial, changes: Changes, split: str, results: Path) -> TrialResult:
    """Train, score the last weights on `split` (val or test), and write the result into the folder `results`.

    No checkpoint is chosen: there is one validation, at the end.

    Args:
        trial: which run.
        changes: the values of studies/params.yaml that it changes.
        split: what it is scored on.
        results: where its result is written.

    Raises:
        PipelineError: as the stages raise it, or `changes` has a section that the pipeline lacks.
    """
    # A run that was killed goes on: the folder stays until there is a result.
    folder = Path("runs") / trial.key
    params = write_params(PARAMS, folder, Path("data") / trial.data, changes)
    run_stages(TRAINING_STAGES, params)
    trained = read_training_figures(params.paths.metrics_train)
    images, detections = detect_with_last_weights(params, split)
    scores = coco_figures(images, detections)
    if scores.mean_ap is None or scores.ap50 is None:
        raise DataError(f"{params.paths.records}: no box in the split {split}, so nothing can be scored on it")
    result = TrialResult(
        **trial._asdict(),
        code=code_version(),
        step_ms_median=trained.step_ms_median,
        seconds=trained.startup_s + trained.seconds - trained.validating_s,
        split=split,
        images=len(images.images),
        mAP=scores.mean_ap,
        AP50=scores.ap50,
    )
    results.mkdir(exist_ok=True)
    write_artifact(results / f"{trial.key}.json", result)
    shutil.rmtree(folder)
    return result
