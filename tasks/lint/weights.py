"""The weights that training starts from, against what is frozen and against the label map."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.artifacts.base import ARRAYS, DESCRIPTION, LABEL_MAP, BaseDescription
from tasks.artifacts.lint import Finding
from tasks.artifacts.training import class_rows_in_words
from tasks.errors import CheckpointError
from tasks.ground.stage_files import restored_by
from tasks.ground.text import quoted, shortened
from tasks.lint.splits import listed
from tasks.model.class_names import known_classes
from tasks.model.definition import BLOCKS
from tasks.model.definitions import backbone_of
from tasks.model.label_map import read_label_map
from tasks.model.schedule import Phase, phases_of

if TYPE_CHECKING:
    from tasks.params import TrainParams


@dataclass(frozen=True)
class BaseFacts:
    """What models/base holds.

    Attributes:
        description: its base.json.
        is_detector: whether it has more than a backbone.
        classes: the classes that its class head was trained for; None where they are not known.
    """

    description: BaseDescription
    is_detector: bool
    classes: tuple[str, ...] | None


def read_base_facts(base: Path, description: BaseDescription) -> BaseFacts:
    """The facts of the folder `base`, whose base.json holds `description`.

    Raises:
        CheckpointError: the arrays that it promises are missing or damaged.
        FormatError: its label map cannot be read.
    """
    label_map, kind = base / LABEL_MAP, description.kind
    return BaseFacts(
        description,
        is_detector=kind in ("tf_checkpoint", "saved_model") or (kind == "weights" and _has_detector(base / ARRAYS)),
        classes=read_label_map(label_map) if label_map.is_file() else None,
    )


def check_base(base: BaseFacts, classes: Sequence[str]) -> list[Finding]:
    """Weights other than those asked for, and a class head that they cannot fill."""
    findings, source = [], base.description.source
    if base.description.fallback:
        remedy = "set checkpoint.source to the weights that you want, or take another model"
        findings.append(Finding("warning", "checkpoint.source", source, base.description.fallback, remedy))
    if base.is_detector and base.classes != tuple(classes):
        theirs = "classes that it does not name" if base.classes is None else listed(base.classes)
        kept = known_classes(classes, base.classes or (), base.description.class_names)
        head = class_rows_in_words(kept, [label for label in classes if label not in kept])
        head = f"in the class head, {head}" if head else "the class head starts new"
        why = f"trained for {theirs}, here for {listed(classes)}: {head}"
        findings.append(Finding("info", "checkpoint.source", source, why))
    return [*findings, *_check_names(base, classes)]


def _check_names(base: BaseFacts, classes: Sequence[str]) -> list[Finding]:
    """Entries of `checkpoint.class_names` that name a label or a class that is not there."""
    names, findings = base.description.class_names, []
    if names and base.classes is None:
        why = "these weights do not name the classes of a class head: it has no effect"
        return [Finding("warning", "checkpoint.class_names", str(names), why, "remove it, or take other weights")]
    for label, name in names.items():
        entry = f"{{{shortened(label)}: {shortened(name)}}}"
        if label not in classes:
            why = f"the data has no class {quoted(label)}"
            findings.append(Finding("error", "checkpoint.class_names", entry, why, f"it has {listed(classes)}"))
        elif not known_classes([name], base.classes or (), {}):
            why = f"the weights know no class {quoted(name)}"
            known = ", ".join(map(shortened, base.classes or ()))
            findings.append(Finding("error", "checkpoint.class_names", entry, why, f"they know {known}"))
    return findings


def check_freeze(train: "TrainParams", extractor: str, base: BaseFacts) -> list[Finding]:
    """Frozen layers that hold random numbers, and more frozen blocks than the backbone has.

    `extractor` is the final pipeline.config's feature_extractor.type. How many blocks an unknown one has, only the
    train stage can check.
    """
    return [finding for phase in phases_of(train) for finding in _check_phase(phase, extractor, base)]


def _check_phase(phase: Phase, extractor: str, base: BaseFacts) -> list[Finding]:
    freeze, key = phase.params.freeze, f"{phase.section}.freeze"
    # auto freezes nothing that the weights do not fill.
    if freeze in ("auto", "none"):
        return []
    backbone = backbone_of(extractor)
    source = base.description.source
    findings = []
    if isinstance(freeze, int) and backbone is not None and freeze > BLOCKS[backbone]:
        findings.append(
            Finding(
                "error",
                key,
                str(freeze),
                f"this backbone ({backbone}) has {BLOCKS[backbone]} blocks",
                f"set it to {BLOCKS[backbone]} or less; backbone freezes all of it",
            )
        )
    if base.description.kind == "none":
        findings.append(
            Finding(
                "error",
                key,
                str(freeze),
                f"there are no weights (checkpoint.source {source}): frozen layers would stay random",
                f"set checkpoint.source to weights for this model, or {key} to none",
            )
        )
    elif freeze == "heads-only" and not base.is_detector:
        findings.append(
            Finding(
                "warning",
                key,
                str(freeze),
                f"checkpoint.source {source} fills the backbone only: the layers that make its feature maps would stay "
                "random",
                "set it to backbone, or checkpoint.source to a detector's weights (zoo, base, a path)",
            )
        )
    return findings


def _has_detector(weights: Path) -> bool:
    """Whether arrays are of a detector, named by checkpoint key, and not of a backbone, named by its layers."""
    try:
        with zipfile.ZipFile(weights) as archive:
            return any(name.startswith("model/") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile) as error:
        raise CheckpointError(
            f"{weights}: cannot be read, but {DESCRIPTION} beside it promises it: {error}; {restored_by('checkpoint')}"
        ) from error
