"""params.yaml, typed. No key has a default here: params.yaml holds every value, and DVC tracks it.

The comments that explain each key to a user stand in params.yaml; here stand the types and limits.
"""

from pathlib import Path
from typing import Annotated, Literal, get_args

import yaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from tasks.errors import ParamsError
from tasks.params.recipes import RecipeName, with_recipe
from tasks.params.value_types import (
    UNION_TAG,
    ColumnNames,
    Fraction,
    Freeze,
    NamedPath,
    Positive,
    SecondPhase,
    Section,
    Seed,
    Share,
    SidePx,
    false_as_off,
)

AnnotationFormat = Literal["auto", "voc", "csv", "coco", "yolo", "label_studio"]
FORMATS: tuple[str, ...] = get_args(AnnotationFormat)
VariantName = Literal["float32", "float16", "dynamic", "int8", "onnx"]


class PathParams(Section):
    """Every path the stages write, once; dvc.yaml refers to them as `${paths.NAME}`."""

    sample: NamedPath
    ingested: NamedPath
    validated: NamedPath
    splits: NamedPath
    records: NamedPath
    records_resume: NamedPath
    base: NamedPath
    pipeline_config: NamedPath
    lint: NamedPath
    trained: NamedPath
    resume: NamedPath
    tensorboard: NamedPath
    exported: NamedPath
    model_card: NamedPath
    detections: NamedPath
    report: NamedPath
    split_memory: NamedPath
    metrics_data: NamedPath
    metrics_split: NamedPath
    metrics_train: NamedPath
    metrics_evaluate: NamedPath
    metrics_headline: NamedPath
    speed: NamedPath
    plots_data: NamedPath
    plots_train: NamedPath
    plots_evaluate: NamedPath


class SampleParams(Section):
    """The generated data set."""

    seed: Seed
    images: Positive
    faults: bool


class IngestParams(Section):
    """Where annotations and images are, and how to read them."""

    source: NamedPath
    images: NamedPath
    format: AnnotationFormat
    columns: dict[
        Literal["filename", "class", "xmin", "ymin", "xmax", "ymax", "width", "height", "split", "slice"], ColumnNames
    ]

    @model_validator(mode="after")
    def _only_slices_have_several_columns(self) -> "IngestParams":
        several = [name for name, columns in self.columns.items() if isinstance(columns, list) and name != "slice"]
        if several:
            raise ValueError(f"columns.{several[0]}: name one column; only slice may have a list")
        return self


class ValidateParams(Section):
    """The gate's policy."""

    on_problem: Literal["fail", "fix", "drop"]
    policy: dict[str, Literal["fail", "fix", "drop", "keep"]]
    min_box_side_px: Annotated[float, Field(ge=0.0)]
    min_boxes_per_class: Positive
    max_dropped_fraction: Fraction
    max_fixed_fraction: Fraction
    max_image_megapixels: Annotated[float, Field(gt=0.0)]


class SplitParams(Section):
    """How images are assigned to splits."""

    seed: Seed
    val_fraction: Fraction
    test_fraction: Fraction
    near_duplicate_distance: Annotated[int, Field(ge=0, le=128)]
    frame_run_distance: Annotated[int, Field(ge=0, le=128)]
    author_split: Literal["keep", "drop", "repair", "ignore"]

    @model_validator(mode="after")
    def _leave_something_to_train_on(self) -> "SplitParams":
        if self.val_fraction + self.test_fraction >= 1.0:
            raise ValueError(
                f"val_fraction + test_fraction is {self.val_fraction + self.test_fraction:g}: "
                "it must stay below 1, or nothing is left to train on"
            )
        return self


class RecordsParams(Section):
    """How TFRecords are written. Workers and scheduler change no byte: DVC does not track them."""

    images_per_shard: Positive
    max_side_px: Annotated[int, Field(ge=32)] | None
    workers: Positive | None
    scheduler: Annotated[str, Field(pattern=r"^(tcp|tls)://\S+:\d+$")] | None


class ModelParams(Section):
    """Which model is trained: one of ours by name and input size, or a pipeline.config of the user's in configs/."""

    name: str
    side_px: SidePx | None


class CheckpointParams(Section):
    """Where the weights come from."""

    source: str
    zoo_url: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None
    class_names: dict[str, str]


class AugmentParams(Section):
    """What is done to training images, and how often."""

    flip: Fraction
    crop: Fraction
    crop_min_area: Share
    zoom_out: Fraction
    zoom_out_min: Share
    colour: Fraction
    mosaic: Fraction


class CacheParams(Section):
    """Features of the frozen layers, computed once."""

    use: Annotated[Literal["auto", "off", "memory", "disk"], BeforeValidator(false_as_off)]
    copies: Annotated[int, Field(ge=0)]
    dtype: Literal["float32", "float16"]
    memory_mb: Positive


class TrainParams(Section):
    """The training run, every value of a recipe filled in (`Params.train`)."""

    recipe: RecipeName | None
    steps: Positive
    patience: Positive | None
    max_minutes: Annotated[float, Field(gt=0.0)] | None
    batch_size: Positive
    learning_rate: Annotated[float, Field(gt=0.0)]
    warmup_steps: Annotated[int, Field(ge=0)]
    decay_steps: Positive | None
    new_layer_rate: Annotated[float, Field(gt=0.0)]
    optimizer: Literal["adam", "momentum"]
    clip_norm: Annotated[float, Field(gt=0.0)]
    localization_weight: Annotated[float, Field(gt=0.0)] | None
    focal_alpha: Annotated[float, Field(gt=0.0, lt=1.0)] | None
    focal_gamma: Annotated[float, Field(ge=0.0)] | None
    freeze: Freeze
    second_phase: SecondPhase
    cache: CacheParams
    batchnorm_decay: Annotated[float, Field(gt=0.0, lt=1.0)]
    ema_decay: Annotated[float, Field(ge=0.0, lt=1.0)]
    augment: AugmentParams
    class_balance: Fraction
    eval_every: Positive
    save_every: Positive
    precision: Literal["auto", "float32", "bfloat16"]
    tensorboard: bool
    seed: Seed


class ExportParams(Section):
    """What is shipped."""

    variants: list[VariantName]
    calibration_images: Positive
    max_map_loss: Fraction = Field(alias="max_mAP_loss")
    on_loss: Literal["stop", "leave_out"]
    serving: Annotated[Literal["link", "copy", "off"], BeforeValidator(false_as_off)]
    max_detections: Positive
    nms_iou_threshold: Fraction
    score_threshold: Fraction | None

    @model_validator(mode="after")
    def _name_each_variant_once(self) -> "ExportParams":
        if len(set(self.variants)) < len(self.variants):
            raise ValueError("variants: each is named once")
        return self


class EvaluateParams(Section):
    """How it is scored."""

    batch_size: Positive
    intended_use: str | None


class ReportParams(Section):
    """What the page shows."""

    score_threshold: Fraction
    gallery_images: Annotated[int, Field(ge=0)]
    thumbnail_px: Annotated[int, Field(ge=64, le=2048)]


class Params(Section):
    """The whole of params.yaml. Sections are named after the stages; `model` is what `configure` reads first."""

    paths: PathParams
    sample: SampleParams
    ingest: IngestParams
    validate_: ValidateParams = Field(alias="validate")
    split: SplitParams
    records: RecordsParams
    model: ModelParams
    checkpoint: CheckpointParams
    train: Annotated[TrainParams, BeforeValidator(with_recipe)]
    export: ExportParams
    evaluate: EvaluateParams
    report: ReportParams

    def section(self, name: str) -> Section:
        """The section that params.yaml calls `name`."""
        section: Section = getattr(self, "validate_" if name == "validate" else name)
        return section


def read_params(path: Path) -> Params:
    """The typed content of a params.yaml.

    Raises:
        ParamsError: there is no such file, it is not YAML, or a key is missing, misspelt or out of range; the message
            lists every fault with its key.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ParamsError(f"{path}: no such file; run from the project's root, or copy one of presets/") from error
    except OSError as error:
        raise ParamsError(f"{path}: cannot be read: {error.strerror}") from error
    except RecursionError as error:
        raise ParamsError(f"{path}: nested too deeply; params.yaml has sections, and they have keys") from error
    # Not only a YAMLError: a date or a number that is not valid is a plain ValueError.
    except (yaml.YAMLError, ValueError) as error:
        raise ParamsError(f"{path}: not YAML: {error}") from error
    # What the library raises where a value does not fit its tag.
    except (LookupError, AttributeError, TypeError) as error:
        raise ParamsError(f"{path}: not YAML: a value does not fit its tag, such as !!int; remove the tags") from error
    if not isinstance(content, dict):
        raise ParamsError(f"{path}: it has no sections (ingest:, validate:, ...); restore it from git")
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise ParamsError(f"{path} is not valid:\n{_listed_faults(error)}") from error


def _listed_faults(error: ValidationError) -> str:
    # Pydantic names a class of Python's, and not by the same name in each version.
    said = {
        "path_type": "Input is not a path: write the name of a file or folder",
        "model_type": "Input is no section: write its keys below it, indented",
    }
    lines = []
    for fault in error.errors():
        keys = [str(part) for part in fault["loc"] if not str(part).startswith(UNION_TAG)]
        lines.append(f"  {'.'.join(keys)}: {said.get(fault['type'], fault['msg'])}")
    if any(fault["type"] == "missing" for fault in error.errors()):
        lines.append("  git show HEAD:params.yaml prints one with every key of this version")
    return "\n".join(lines)
