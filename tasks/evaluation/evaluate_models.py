"""The exported SavedModel and its variants on the test images: figures, losses, times, and what the report shows."""

import platform
from dataclasses import dataclass
from pathlib import Path

from tasks.artifacts.analysis import Analysis
from tasks.artifacts.evaluation import Evaluation, ModelFigures, SavedModelFigures
from tasks.artifacts.precision_recall import CurvePoint
from tasks.artifacts.slices import Slices
from tasks.artifacts.speed import ModelSpeed, Speed
from tasks.artifacts.variant_losses import VariantLoss, VariantLosses
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.evaluation.exported import load_variant
from tasks.evaluation.losses import is_too_much, mean_ap_difference
from tasks.evaluation.measure_speed import Image, measure_latency, measure_speed, timed_images
from tasks.evaluation.saved_model import load_saved_model
from tasks.evaluation.scoring import detect_all
from tasks.evaluation.slice_traits import MeasuringDetector, traits_of
from tasks.ground.files import megabytes
from tasks.ground.process import usable_cores
from tasks.ground.stage_files import require_file
from tasks.ground.text import counted
from tasks.metrics.analysis import analysis, carriers_of, operating_point
from tasks.metrics.coco import figures_of, precision_recall
from tasks.metrics.matching import Matches, match_detections
from tasks.metrics.slices import slices_of
from tasks.model.checksums import CHECKSUMS
from tasks.model.thresholds import Thresholds, read_thresholds
from tasks.model.variants import VARIANTS, WrittenVariant, read_variants
from tasks.params import VariantName

SAVED_MODEL = "saved_model"


@dataclass(frozen=True)
class Results:
    """What `evaluate_models` finds.

    Attributes:
        detections: of the SavedModel (`saved_model`) and of each variant by its name, in every test image.
        evaluation: their figures.
        losses: of each variant against the SavedModel, and the variants that `export` left out.
        analysis: of the SavedModel.
        slices: on which test images it is worse.
        curves: its precision-recall curves.
        speed: of all.
    """

    detections: dict[str, list[Detections]]
    evaluation: Evaluation
    losses: VariantLosses
    analysis: Analysis
    slices: Slices
    curves: list[CurvePoint]
    speed: Speed


@dataclass(frozen=True)
class _Scored:
    """One variant, scored."""

    detections: list[Detections]
    figures: ModelFigures
    loss: VariantLoss
    speed: ModelSpeed


def evaluate_models(exported: Path, test: Dataset, batch_size: int, max_loss: float) -> Results:
    """Run every model of the folder `exported` on every image of `test`.

    `max_loss` is the mAP in 0..1 beyond which a variant's loss is marked as too much.

    Raises:
        CheckpointError: a model is missing, cannot be read, or is not what SHA256SUMS says.
        DataError: there is no SHA256SUMS.
        EvaluationError: the models' classes are not the split's, or an image was not scored.
        FormatError: the thresholds or the list of the exported models cannot be read.
    """
    require_file(exported / CHECKSUMS, "export")
    thresholds = read_thresholds(exported / "thresholds.json")
    timed = timed_images(test)
    reference = load_saved_model(exported)
    measuring = MeasuringDetector(reference)
    detections = detect_all(measuring, test, batch_size, f"evaluate {SAVED_MODEL}")
    speed = measure_speed(reference, timed, batch_size, megabytes(exported / SAVED_MODEL))
    matches = match_detections(test, detections)
    findings = analysis(test, detections, matches, thresholds.score, thresholds.origin)
    exported_variants = read_variants(exported)
    written = exported_variants.written
    scored: dict[VariantName, _Scored] = {
        name: _score_variant(exported, name, written[name], test, matches, thresholds, timed, max_loss)
        for name in VARIANTS
        if name in written
    }
    variants = {str(name): each.figures for name, each in scored.items()}
    return Results(
        detections={SAVED_MODEL: detections, **{name: each.detections for name, each in scored.items()}},
        evaluation=Evaluation(
            images=len(test.images),
            saved_model=_with_intervals(_figures(matches, thresholds), findings),
            tflite=variants.get("float32", ModelFigures()),
            variants=variants,
        ),
        losses=VariantLosses(
            scored=[each.loss for each in scored.values()],
            left_out=exported_variants.left_out,
            images=len(test.images),
            carriers=carriers_of(matches)["mAP"],
        ),
        analysis=findings,
        slices=slices_of(test, detections, matches, traits_of(test, measuring.measured)),
        curves=precision_recall(test, detections),
        speed=Speed(
            machine=f"{platform.machine()}, {counted(usable_cores(), 'core')}",
            models={SAVED_MODEL: speed, **{name: each.speed for name, each in scored.items()}},
        ),
    )


def _score_variant(
    exported: Path,
    name: VariantName,
    written: WrittenVariant,
    test: Dataset,
    reference: Matches,
    thresholds: Thresholds,
    timed: list[Image],
    max_loss: float,
) -> _Scored:
    file = exported / written.file
    detector = load_variant(file)
    detections = detect_all(detector, test, 1, f"evaluate {name}")
    matches = match_detections(test, detections)
    difference = mean_ap_difference(reference, matches)
    size = megabytes(file)
    speed = measure_speed(detector, timed, 1, size)
    return _Scored(
        detections,
        _figures(matches, thresholds),
        VariantLoss(
            name=name,
            file=written.file,
            runtime=VARIANTS[name].runtime,
            form=written.form,
            takes_pixels=detector.takes_pixels,
            size_mb=size,
            mean_ap=difference.after,
            difference=difference.change,
            interval=difference.interval,
            is_too_much=is_too_much(difference, max_loss),
            edge_tpu_fallbacks=written.edge_tpu_fallbacks,
        ),
        speed.model_copy(update={"by_threads": measure_latency(file, timed)}),
    )


def _figures(matches: Matches, thresholds: Thresholds) -> ModelFigures:
    point = operating_point(matches, thresholds.score)
    return ModelFigures(
        **dict(figures_of(matches)),
        score_threshold=point.score,
        precision=point.precision,
        recall=point.recall,
        f1=point.f1,
    )


def _with_intervals(figures: ModelFigures, findings: Analysis) -> SavedModelFigures:
    """The figures with both ends of the intervals of mAP and AP50, as figures of their own."""
    mean_ap, ap50 = findings.intervals["mAP"], findings.intervals["AP50"]
    return SavedModelFigures(
        **dict(figures),
        mean_ap_low=mean_ap and mean_ap.low,
        mean_ap_high=mean_ap and mean_ap.high,
        ap50_low=ap50 and ap50.low,
        ap50_high=ap50 and ap50.high,
    )
