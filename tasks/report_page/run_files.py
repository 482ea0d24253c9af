"""What the page is made from: the content of the files that the other stages wrote."""

from dataclasses import dataclass
from pathlib import Path

from tasks.artifacts.analysis import Analysis
from tasks.artifacts.evaluation import Evaluation
from tasks.artifacts.gate import GateCounts
from tasks.artifacts.lint import Finding
from tasks.artifacts.precision_recall import CurvePoint
from tasks.artifacts.slices import Slices
from tasks.artifacts.speed import Speed
from tasks.artifacts.split import DroppedImage, Leak
from tasks.artifacts.training import ModuleAudit, RestoreSummary, TrainingFigures
from tasks.artifacts.variant_losses import VariantLosses
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections


@dataclass(frozen=True)
class RunFiles:
    """The content of a run's files.

    Attributes:
        ingested, validated: the data before the gate and after it.
        validated_sha256: of the file of the latter.
        of_split: the images of each split.
        slices: on which test images it is worse.
        detections: of the SavedModel, in each test image.
        frozen: by module, of each phase of training.
        curves: precision against recall.
        variants: what each exported variant loses, and which were left out.
        plots_train: the folder of dvclive's tables.
        pipeline_config: the file.
        findings: about the configuration.
        leaks: similar images in different splits; None where they were not looked for.
        dropped: images that are in no split.
    """

    ingested: Dataset
    validated: Dataset
    validated_sha256: str
    of_split: dict[str, Dataset]
    gate_counts: GateCounts
    training: TrainingFigures
    restored: RestoreSummary | None
    frozen: list[list[ModuleAudit]]
    evaluation: Evaluation
    analysis: Analysis
    slices: Slices
    detections: list[Detections]
    curves: list[CurvePoint]
    speed: Speed | None
    variants: VariantLosses
    plots_train: Path
    pipeline_config: Path
    findings: list[Finding]
    leaks: list[Leak] | None
    dropped: list[DroppedImage]
