"""Stage `train`: fine-tune the configured model on the training records, choose by the validation records."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.artifacts.training import write_training_figures
from tasks.dataset.dataset import Dataset
from tasks.detector.runtime import gpu_peak_mb, prepare_runtime
from tasks.ground.process import peak_memory_mb
from tasks.model.label_map import LABEL_MAP, read_label_map
from tasks.tfrecords.tf_example import read_split, shards_of
from tasks.training.balance import shares
from tasks.training.curves import training_curves
from tasks.training.feeding import batches_of
from tasks.training.freeze import audit, refuse_moved
from tasks.training.preparation import prepare_run
from tasks.training.replicas import available_replicas
from tasks.training.results import write_trained
from tasks.training.resume import ResumeFolder, resumed, run_key
from tasks.training.summary import print_end, training_figures
from tasks.training.validation import validator

if TYPE_CHECKING:
    from tasks.params import TrainParams


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
    tensorboard: Path,
) -> dict[str, Any]:
    """Train `params.steps` steps, from the last saved step if an earlier run of exactly this was killed.

    Writes `trained`/best and `trained`/last (TensorFlow checkpoints) with their summaries, the metrics, and dvclive's
    curves below `plots_train`. Of several machines only the chief (the first) writes.
    `configure` has checked that there are training images.

    Raises:
        TrainingError: another trainer in the resume folder, a loss that is not finite, or a frozen variable that moved.
        CheckpointError: nothing of the backbone was restored.
    """
    replicas = available_replicas()
    on_gpu = prepare_runtime(params.seed, params.precision)
    classes = read_label_map(records / LABEL_MAP)
    train_images, val_images = read_split(records, "train"), read_split(records, "val")
    run = prepare_run(params, pipeline_config, base, classes, len(train_images), replicas)
    folder = ResumeFolder(resume, run_key(params, pipeline_config, records, base))
    validate = validator(run.network, records, Dataset(records, classes, val_images))
    with resumed(folder, run.trainer.state, replicas) as progress:
        run.copies.spread()
        if progress.step:
            print(f"train: resuming after step {progress.step} of {params.steps}")
        batches = batches_of(
            run.feed,
            params,
            shards_of(records, "train"),
            replicas,
            size=(run.network.height, run.network.width),
            max_boxes=max(8, *(len(image.classes) for image in train_images)),
            image_shares=shares(train_images, params.class_balance) if params.class_balance else None,
            cache_folder=resume,
            start_step=progress.step,
        )
        curves = training_curves(plots_train, tensorboard if params.tensorboard else None)
        with curves if replicas.chief else nullcontext(lambda row: None) as listener:
            for row in progress.history:
                listener(row)
            run.trainer.run(batches, folder, progress, listener, validate)
        with run.trainer.as_shipped():
            modules = audit(run.network, run.frozen, run.initial_values)
            refuse_moved(modules, params.freeze)
            figures = training_figures(
                progress,
                params,
                modules,
                startup_s=run.trainer.startup_s,
                peak_memory_mb=peak_memory_mb(),
                peak_gpu_memory_mb=gpu_peak_mb(),
            )
            if replicas.chief:
                write_trained(trained, run, folder, progress.best_step, modules, records)
                write_training_figures(metrics_train, figures)
                folder.clear()
    print_end(figures, params, cached=run.feed.trunk is not None, on_gpu=on_gpu)
    return figures.model_dump(include={"steps", "best_step", "best_mAP", "loss", "step_ms_median"})
