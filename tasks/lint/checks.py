"""All checks of a run's configuration, in one call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.artifacts.lint import Finding
from tasks.dataset.dataset import AnnotatedImage
from tasks.errors import ConfigError
from tasks.lint.alternatives import Alternatives, set_size_of
from tasks.lint.boxes import check_anchors, check_small
from tasks.lint.centres import check_centres
from tasks.lint.config_text import check_placeholders
from tasks.lint.input_size import check_size
from tasks.lint.rate import check_rate
from tasks.lint.schedule import check_amount, check_schedule
from tasks.lint.splits import check_splits
from tasks.lint.weights import BaseFacts, check_base, check_freeze
from tasks.model.geometry import model_geometry

if TYPE_CHECKING:
    from tasks.params import TrainParams


@dataclass(frozen=True)
class ConfiguredModel:
    """The final pipeline.config, and what a user could take instead.

    Attributes:
        name: `model.name`.
        path: where the pipeline.config is written; for messages.
        text: its text.
        feature_extractor: its feature_extractor.type.
        larger: by side in pixels, ascending, the pipeline.config text of this model with a larger square input.
        others: by name, that of the models with the same backbone and other layers after it.
    """

    name: str
    path: Path
    text: str
    feature_extractor: str
    larger: Mapping[int, str]
    others: Mapping[str, str]


def check_all(
    train: "TrainParams",
    model: ConfiguredModel,
    base: BaseFacts,
    classes: Sequence[str],
    splits: Mapping[str, Sequence[AnnotatedImage]],
) -> list[Finding]:
    """What the checks find in params, pipeline.config, weights and records (`classes` and the images of `splits`)."""
    images = splits["train"]
    return [
        *check_placeholders(model.text, model.name),
        *check_freeze(train, model.feature_extractor, base),
        *check_base(base, classes),
        *check_splits(classes, splits),
        *check_schedule(train),
        *check_rate(train),
        *(check_amount(train, len(images)) if images else []),
        *_check_boxes(model, images),
    ]


def _check_boxes(model: ConfiguredModel, images: Sequence[AnnotatedImage]) -> list[Finding]:
    try:
        geometry = model_geometry(model.text, model.path)
    except ConfigError as error:
        why = f"its anchors are unknown, so the boxes were not compared with them ({error})"
        return [Finding("info", "model.name", model.name, why)]
    alternatives = Alternatives(
        larger={side_px: model_geometry(text, model.path) for side_px, text in model.larger.items()},
        others={name: model_geometry(text, model.path) for name, text in model.others.items()},
        set_size=set_size_of(model.name),
    )
    checks = (check_anchors, check_centres, check_small, check_size)
    return [finding for check in checks for finding in check(images, model.name, geometry, alternatives)]
