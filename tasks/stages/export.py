"""Stage `export`: the best checkpoint as a SavedModel and its variants, each usable without this project.

Beside them lies the score from which their detections are worth showing. It is chosen on the val split, as the
checkpoint was: chosen on the test split, it would make the figures too good. For the same reason what a variant loses
is measured here on the val split; `evaluate` measures it on the test split.
"""

import functools
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.artifacts.training_photos import write_training_photos
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detector
from tasks.dataset.split_files import read_coco_splits
from tasks.detector.embedding import PhotoEmbedder
from tasks.detector.network import build_network
from tasks.detector.pipeline_config import read_pipeline_config
from tasks.evaluation.accepted import Judge
from tasks.evaluation.preprocess import model_input
from tasks.evaluation.saved_model import load_saved_model
from tasks.evaluation.scoring import detect_all
from tasks.exporting.saved_model import export_saved_model, lay_out_for_serving, load_weights
from tasks.exporting.tflite_metadata import Metadata
from tasks.exporting.training_photos import measure_photos
from tasks.exporting.variants import Source, export_variants
from tasks.ground.files import megabytes, replacing
from tasks.metrics.matching import Matches, match_detections
from tasks.metrics.operating import best_score
from tasks.model.checksums import write_checksums
from tasks.model.label_map import LABEL_MAP
from tasks.model.thresholds import DEFAULT_SCORE, Thresholds, write_thresholds
from tasks.model.variants import write_variants

if TYPE_CHECKING:
    from tasks.params import ExportParams

_BATCH = 8


def export(
    params: "ExportParams", *, trained: Path, pipeline_config: Path, records: Path, splits: Path, exported: Path
) -> dict[str, Any]:
    """Write the SavedModel, its variants, what is used with them and SHA256SUMS into `exported`.

    Raises:
        CheckpointError: a variant cannot be made of this model, or the weights that embed photos are missing.
        DataError: int8 has no training images to be calibrated on.
        EvaluationError: a val image could not be scored, or a variant surely loses more mAP than
            `export.max_mAP_loss`, and `export.on_loss` is `stop`.
    """
    config = read_pipeline_config(pipeline_config)
    network = build_network(config, is_training=False)
    load_weights(network, trained / "best" / "ckpt-0")
    of_split = read_coco_splits(splits)
    with replacing(exported, own_folder=True) as partial:
        partial.mkdir()
        export_saved_model(network, partial / "saved_model")
        shutil.copy(records / LABEL_MAP, partial / LABEL_MAP)
        shutil.copy(pipeline_config, partial / "pipeline.config")
        val = of_split["val"]
        detector = load_saved_model(partial)
        reference = _matches(detector, val)
        thresholds = choose_thresholds(reference, len(val.images), params.score_threshold)
        write_thresholds(thresholds, partial / "thresholds.json")
        prepare = functools.partial(model_input, resizer=network.resizer)
        variants = export_variants(
            Source(network, config, _metadata(detector.classes, thresholds.score), prepare),
            params,
            of_split["train"],
            partial,
            Judge(val, reference, params.max_map_loss, params.on_loss),
        )
        write_variants(partial, variants)
        write_training_photos(measure_photos([of_split["train"], val], PhotoEmbedder()), partial)
        lay_out_for_serving(partial, params.serving)
        write_checksums(partial)
        sizes = {f"{name}_mb": megabytes(partial / each.file) for name, each in variants.written.items()}
    return {"saved_model_mb": megabytes(exported / "saved_model"), **sizes, "score_threshold": thresholds.score}


def choose_thresholds(matches: Matches, images: int, wanted: float | None) -> Thresholds:
    """The score `wanted`, else the one where F1 is highest on val, of all classes together; and that of each class.

    `matches` are the SavedModel's on the `images` images of the val split.
    """
    per_class = {name: best_score(matches, k) for k, name in enumerate(matches.classes)}
    best = best_score(matches)
    score, chosen_by = (best, "F1") if best is not None else (DEFAULT_SCORE, "default")
    if wanted is not None:
        score, chosen_by = wanted, "params"
    return Thresholds(score=score, chosen_by=chosen_by, best_score=best, per_class=per_class, images=images)


def _matches(detector: Detector, val: Dataset) -> Matches:
    return match_detections(val, detect_all(detector, val, _BATCH, "export: choosing the score threshold"))


def _metadata(classes: Sequence[str], score: float) -> Metadata:
    return Metadata(classes, score, f"Finds {', '.join(classes)} in photographs. Boxes, classes and scores.")
