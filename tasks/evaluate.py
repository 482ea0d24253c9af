"""Stage `evaluate`: what is shipped is what is scored: the exported SavedModel and TFLite on the test split."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from tasks.annotation.dataset import Dataset
from tasks.annotation.detections import Detections, Detector
from tasks.detector.exported import load_saved_model, load_tflite
from tasks.errors import EvaluationError
from tasks.files import replacing, write_json
from tasks.formats.coco import read_coco, write_detections
from tasks.formats.image_file import read_rgb
from tasks.metrics.coco import coco_figures, precision_recall

if TYPE_CHECKING:
    from tasks.params import EvaluateParams


def evaluate(
    params: "EvaluateParams",
    *,
    exported: Path,
    splits: Path,
    detections: Path,
    metrics_evaluate: Path,
    plots_evaluate: Path,
) -> dict[str, Any]:
    """Score both exported models on every test image.

    Writes COCO results for each below `detections`, the figures, and the precision-recall curve below `plots_evaluate`.

    Raises:
        EvaluationError: the models' classes are not the split's, or an image went unscored.
    """
    test = read_coco(splits / "test.json")
    figures: dict[str, Any] = {"images": len(test.images)}
    with replacing(detections) as partial:
        partial.mkdir()
        for name, load in (("saved_model", load_saved_model), ("tflite", load_tflite)):
            found = _detect_all(load(exported), test, params.batch_size, name)
            write_detections(found, test, partial / f"{name}.json")
            figures[name] = coco_figures(test, found)
            if name == "saved_model":
                curve = precision_recall(test, found)
    with replacing(plots_evaluate) as partial:
        partial.mkdir()
        write_json(partial / "precision_recall.json", curve)
        # The rows of one curve, which `dvc plots` can draw without knowing of classes; the first row is of the average.
        average = [row for row in curve if row["class"] == curve[0]["class"]]
        write_json(partial / "precision_recall_average.json", average)
    write_json(metrics_evaluate, figures)
    return {
        f"{name} {figure}": figures[name][figure] for name in ("saved_model", "tflite") for figure in ("mAP", "AP50")
    }


def _detect_all(detector: Detector, test: Dataset, batch_size: int, name: str) -> list[Detections]:
    if detector.classes != test.classes:
        raise EvaluationError(
            f"{name} knows the classes {', '.join(detector.classes)}, the test split has {', '.join(test.classes)}; "
            "run `dvc repro` so that both come from the same run"
        )
    found: list[Detections] = []
    with tqdm(total=len(test.images), desc=f"evaluate {name}", unit="image") as bar:
        for start in range(0, len(test.images), batch_size):
            part = test.images[start : start + batch_size]
            found += detector.detect([read_rgb(test.image_path(image)) for image in part])
            bar.update(len(part))
    if len(found) != len(test.images):
        raise EvaluationError(f"{name}: {len(found)} of {len(test.images)} test images were scored; the rest were lost")
    return found
