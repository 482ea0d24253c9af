"""Stage `evaluate`: what is shipped is what is scored: the exported SavedModel and its variants on the test split."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.artifacts.analysis import write_analysis
from tasks.artifacts.base import read_base_description
from tasks.artifacts.evaluation import write_evaluation
from tasks.artifacts.headline import write_headline
from tasks.artifacts.model_detections import write_model_detections
from tasks.artifacts.precision_recall import write_precision_recall
from tasks.artifacts.recipe import recipe_use
from tasks.artifacts.slices import write_slices
from tasks.artifacts.speed import write_speed
from tasks.artifacts.variant_losses import write_variant_losses
from tasks.dataset.split_files import read_coco_splits
from tasks.errors import EvaluationError
from tasks.evaluation.evaluate_models import evaluate_models
from tasks.evaluation.losses import complaint
from tasks.evaluation.model_card import Facts, card
from tasks.ground.files import replacing
from tasks.ground.text import print_text
from tasks.metrics.loss_texts import remarks
from tasks.model.geometry import read_resizer

if TYPE_CHECKING:
    from tasks.params import EvaluateParams, ExportParams, TrainParams


def evaluate(  # noqa: PLR0913 - a path for each file that it writes
    params: "EvaluateParams",
    export: "ExportParams",
    train: "TrainParams",
    *,
    exported: Path,
    base: Path,
    splits: Path,
    detections: Path,
    metrics_evaluate: Path,
    metrics_headline: Path,
    speed: Path,
    plots_evaluate: Path,
    model_card: Path,
) -> dict[str, Any]:
    """Score every exported model on every test image.

    Writes each model's detections and the SavedModel's analysis below `detections`: intervals, precision and recall at
    the score that `export` chose, confusion, kinds of mistakes, and the slices of the test images. Then the figures,
    their headline, the times, the precision-recall curves, and the card of the exported model, which names the recipe
    of `train`.

    Raises:
        EvaluationError: the models' classes are not the split's, an image was not scored, or a variant surely loses
            more mAP than `export.max_mAP_loss`, and `export.on_loss` is `stop`.
        FormatError: the thresholds of the exported model cannot be read.
        ConfigError: nor can its pipeline.config.
    """
    of_split = read_coco_splits(splits)
    test = of_split["test"]
    resizer = read_resizer(exported / "pipeline.config")
    results = evaluate_models(exported, test, params.batch_size, export.max_map_loss)
    too_much = complaint(results.losses.scored, export.max_map_loss, export.on_loss)
    if too_much and export.on_loss == "stop":
        raise EvaluationError(too_much)
    for remark in filter(None, (too_much, *remarks(results.losses))):
        print_text(f"evaluate: {remark}")
    with replacing(detections, own_folder=True) as partial:
        partial.mkdir()
        for model, found in results.detections.items():
            write_model_detections(partial, model, test, found)
        write_analysis(partial, results.analysis)
        write_slices(partial, results.slices)
        write_variant_losses(partial, results.losses)
    with replacing(plots_evaluate, own_folder=True) as partial:
        partial.mkdir()
        write_precision_recall(partial, results.curves)
    write_evaluation(metrics_evaluate, results.evaluation)
    write_headline(metrics_headline, results.evaluation)
    write_speed(speed, results.speed)
    facts = Facts(
        params.intended_use,
        resizer,
        of_split,
        results.evaluation,
        results.analysis,
        read_base_description(base),
        results.speed,
        recipe_use(train),
        results.losses,
    )
    with replacing(model_card) as beside:
        beside.write_text(card(facts), encoding="utf-8")
    figures = results.evaluation.saved_model
    return {
        "mAP": figures.mean_ap,
        "AP50": figures.ap50,
        **{f"{each.name} mAP": each.mean_ap for each in results.losses.scored},
    }
