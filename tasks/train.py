"""Stage `train`: fine-tune the configured model on the training records, choose by the validation records."""

import hashlib
import json
import platform
import shutil
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvclive import Live

from tasks.annotation.dataset import Dataset
from tasks.detector.feeding import batches_of, choose_feed
from tasks.detector.freeze import ModuleAudit, audit, frozen_keys, hold_still, snapshot, trainable
from tasks.detector.inference import RecordsDetector
from tasks.detector.initialise import initialise
from tasks.detector.network import PARTS, Network, build_network
from tasks.detector.optimizing import TwoRates
from tasks.detector.pipeline_config import read_pipeline_config
from tasks.detector.restore import Restored, restore
from tasks.detector.resume import Progress, ResumeFolder, write_checkpoint
from tasks.detector.runtime import prepare_runtime
from tasks.detector.training import Trainer, Validate
from tasks.errors import TrainingError
from tasks.files import replacing, sha256_of, write_json
from tasks.formats.label_map import read_label_map
from tasks.formats.tf_example import read_part, shards_of
from tasks.metrics.coco import coco_figures

if TYPE_CHECKING:
    from tasks.params import TrainParams

# dvclive's name for each figure of a history row.
_CURVES = {
    "loss": "train/loss",
    "classification_loss": "train/classification_loss",
    "localization_loss": "train/localization_loss",
    "learning_rate": "train/learning_rate",
    "step_ms": "train/step_ms",
    "mAP": "val/mAP",
    "AP50": "val/AP50",
}


def train(
    params: "TrainParams",
    *,
    pipeline_config: Path,
    records: Path,
    base: Path,
    trained: Path,
    metrics_train: Path,
    plots_train: Path,
    resume: Path,
) -> dict[str, Any]:
    """Train `params.steps` steps, from the last saved step if an earlier run of exactly this was killed.

    Writes `trained`/best and `trained`/last (TensorFlow checkpoints), `trained`/restore.json, the metrics, and
    dvclive's curves below `plots_train`. That there are training images, `configure` has seen to.

    Raises:
        TrainingError: another trainer in the resume folder, a loss that is not finite, or a frozen variable that moved.
        CheckpointError: nothing of the backbone was restored.
    """
    prepare_runtime(params.seed)
    classes = read_label_map(records / "label_map.pbtxt")
    train_part, val_part = read_part(records, "train"), read_part(records, "val")
    network = build_network(read_pipeline_config(pipeline_config), is_training=True)
    restored = restore(network, base, classes)
    initialise(network, network.variables.keys() - restored.keys, params.seed)
    frozen = frozen_keys(network, params.freeze)
    hold_still(network, frozen)
    before = snapshot(network, network.variables)
    _tell(network, restored, audit(network, frozen, before))
    feed = choose_feed(network, frozen, params, len(train_part))
    print(f"train: fed with {feed.why}")
    trainer = Trainer(network, _optimizer(network, restored, frozen, params), params, feed.trunk)
    folder = ResumeFolder(resume, _run_key(params, pipeline_config, records, base))
    score = _scorer(network, records, Dataset(records, classes, val_part), classes)
    with folder.lock():
        progress = folder.restore(trainer.state)
        if progress.step:
            print(f"train: resuming after step {progress.step} of {params.steps}")
        batches = batches_of(
            feed,
            params,
            shards_of(records, "train"),
            size=(network.height, network.width),
            max_boxes=max(8, *(len(image.classes) for image in train_part)),
            room=resume,
            start_step=progress.step,
        )
        with Live(str(plots_train), dvcyaml=None, save_dvc_exp=False, report=None, monitor_system=False) as live:
            on = _logger(live)
            for row in progress.history:
                on(row)
            trainer.run(batches, folder, progress, on, score)
        modules = audit(network, frozen, before)
        _refuse_moved(modules, params)
        metrics = _metrics(progress, params, modules)
        _write_trained(trained, trainer, folder, progress, restored, modules, records)
        write_json(metrics_train, metrics)
        folder.clear()
    return {key: metrics[key] for key in ("steps", "best_step", "best_mAP", "loss", "step_ms_median")}


def _optimizer(network: Network, restored: Restored, frozen: set[str], params: "TrainParams") -> TwoRates:
    learning = trainable(network, frozen)
    if not learning:
        raise TrainingError(f"train.freeze {params.freeze} leaves nothing to train")
    return TwoRates(
        params,
        [variable for key, variable in learning.items() if key in restored.keys],
        [variable for key, variable in learning.items() if key not in restored.keys],
    )


def _scorer(network: Network, records: Path, val: Dataset, classes: tuple[str, ...]) -> Validate:
    if not val.images:
        print("train: no validation images (split.val_fraction): the last checkpoint counts as the best")
        return dict
    detector = RecordsDetector(network, shards_of(records, "val"), val.images, classes)

    def score() -> dict[str, float]:
        figures = coco_figures(val, detector())
        return {name: figures[name] or 0.0 for name in ("mAP", "AP50")}

    return score


def _logger(live: Live) -> Callable[[dict[str, Any]], None]:
    def on(row: dict[str, Any]) -> None:
        live.step = row["step"]
        for name, curve in _CURVES.items():
            if name in row:
                live.log_metric(curve, row[name])
        live.sync()

    return on


def _tell(network: Network, restored: Restored, modules: Sequence[ModuleAudit]) -> None:
    rows = restored.summary()["modules"]
    parts = ", ".join(f"{row['module']} {row['restored']}/{row['variables']}" for row in rows)
    print(f"train: restored from {restored.source}: {parts} variables")
    print(f"train: {len(network.variables)} variables, {sum(row.frozen for row in modules)} of them frozen")
    print(f"  {'module':<20}{'parameters':>12}{'frozen':>12}  variables")
    for row in modules:
        said = "frozen" if row.frozen and not row.trained else f"{row.trained} trained, {row.frozen} frozen"
        print(f"  {row.module:<20}{row.parameters:>12,}{row.frozen_parameters:>12,}  {said}")


def _refuse_moved(modules: Sequence[ModuleAudit], params: "TrainParams") -> None:
    # Not `> 0`: NaN must not pass.
    moved = [row for row in modules if not row.frozen_max_abs_change == row.frozen_statistics_max_abs_change == 0]
    if moved:
        said = ", ".join(
            f"{row.module} (weights by {row.frozen_max_abs_change:g}, moving statistics by "
            f"{row.frozen_statistics_max_abs_change:g})"
            for row in moved
        )
        raise TrainingError(
            f"train.freeze {params.freeze}: frozen variables moved: {said}. The result is not what was asked for and "
            "is not kept; this is a bug in the pipeline"
        )


def _metrics(progress: Progress, params: "TrainParams", modules: Sequence[ModuleAudit]) -> dict[str, Any]:
    steps = [row for row in progress.history if "loss" in row]
    return {
        "steps": progress.step,
        "best_step": progress.best_step or progress.step,
        "best_mAP": progress.best_score if progress.best_step else None,
        "loss": statistics.fmean(row["loss"] for row in steps[-20:]),
        "step_ms_median": statistics.median(row["step_ms"] for row in steps),
        "seconds": progress.seconds,
        "batch_size": params.batch_size,
        "trainable_variables": sum(row.trained for row in modules),
        "frozen_variables": sum(row.frozen for row in modules),
        "frozen_max_abs_change": max(row.frozen_max_abs_change for row in modules),
        "frozen_statistics_max_abs_change": max(row.frozen_statistics_max_abs_change for row in modules),
        "modules": {part: _counts(modules, part) for part in PARTS},
    }


def _counts(modules: Sequence[ModuleAudit], part: str) -> dict[str, int]:
    rows = [row for row in modules if row.module.split()[0] == part]
    return {"trainable": sum(row.trained for row in rows), "frozen": sum(row.frozen for row in rows)}


def _write_trained(
    trained: Path,
    trainer: Trainer,
    folder: ResumeFolder,
    progress: Progress,
    restored: Restored,
    modules: Sequence[ModuleAudit],
    records: Path,
) -> None:
    with replacing(trained) as partial:
        (partial / "best").mkdir(parents=True)
        (partial / "last").mkdir()
        write_checkpoint(trainer.weights, partial / "last" / "ckpt-0")
        best = folder.best(progress.best_step) if progress.best_step else partial / "last" / "ckpt-0"
        for file in best.parent.glob(f"{best.name}.*"):
            shutil.copy(file, partial / "best" / file.name.replace(best.name, "ckpt-0", 1))
        shutil.copy(records / "label_map.pbtxt", partial)
        write_json(partial / "restore.json", restored.summary())
        write_json(partial / "freeze.json", [asdict(row) for row in modules])


def _run_key(params: "TrainParams", pipeline_config: Path, records: Path, base: Path) -> str:
    """A hash of all that decides the result: params, config, data, weights, code and the machine's kind."""
    # All of the project's code: one more clean start is cheaper than a run continued by other rules.
    code = sorted(Path(__file__).parent.rglob("*.py"))
    inputs = [pipeline_config, *sorted(records.iterdir()), *sorted(p for p in base.rglob("*") if p.is_file()), *code]
    known = [params.model_dump_json(), platform.machine(), *(f"{p.name} {sha256_of(p)}" for p in inputs)]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]
