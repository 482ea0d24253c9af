"""The weights that training starts from, against what is frozen and against the label map."""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.errors import CheckpointError
from tasks.lint.finding import Finding
from tasks.lint.splits import named
from tasks.model.definitions import BLOCKS, backbone_of
from tasks.model.label_map import read_label_map

if TYPE_CHECKING:
    from tasks.params import TrainParams


@dataclass(frozen=True)
class BaseFacts:
    """What models/base holds.

    Attributes:
        kind: `tf_checkpoint`, `weights` or `none`.
        source: `checkpoint.source` as it was when the base was made.
        fallback: why it is not what `source` names; empty where it is.
        detector: whether it has more than a backbone.
        classes: those that its class head was trained for; None where it does not say.
    """

    kind: str
    source: str
    fallback: str
    detector: bool
    classes: tuple[str, ...] | None


def read_base_facts(base: Path, description: Mapping[str, Any]) -> BaseFacts:
    """The facts of the folder `base`, whose base.json holds `description`.

    Raises:
        CheckpointError: the arrays that it promises are not there.
        FormatError: its label map cannot be read.
    """
    label_map = base / "label_map.pbtxt"
    kind = str(description["kind"])
    return BaseFacts(
        kind=kind,
        source=str(description.get("source", "")),
        fallback=str(description.get("fallback", "")),
        detector=kind == "tf_checkpoint" or (kind == "weights" and _whole(base / "weights.npz")),
        classes=read_label_map(label_map) if label_map.is_file() else None,
    )


def check_base(base: BaseFacts, classes: Sequence[str]) -> list[Finding]:
    """Weights that are not those asked for, and a class head that they cannot fill."""
    found = []
    if base.fallback:
        found.append(
            Finding(
                "warning", "checkpoint.source", base.source, base.fallback, "say what is meant, or take another model"
            )
        )
    if base.detector and base.classes != tuple(classes):
        theirs = "classes that it does not name" if base.classes is None else named(base.classes)
        found.append(
            Finding(
                "info",
                "checkpoint.source",
                base.source,
                f"trained for {theirs}, here it is {named(classes)}: the class head starts new, all else is restored",
            )
        )
    return found


def check_freeze(train: "TrainParams", extractor: str, base: BaseFacts) -> list[Finding]:
    """Frozen layers that hold random numbers, and more blocks than the backbone has.

    `extractor` is the final pipeline.config's feature_extractor.type; of one that is not known here, `train` alone can
    tell how many blocks it has.
    """
    freeze = train.freeze
    # auto freezes nothing that the weights do not fill.
    if freeze in ("auto", "none"):
        return []
    backbone = backbone_of(extractor)
    found = []
    if isinstance(freeze, int) and backbone is not None and freeze > BLOCKS[backbone]:
        found.append(
            Finding(
                "error",
                "train.freeze",
                str(freeze),
                f"this backbone ({backbone}) has {BLOCKS[backbone]} blocks",
                f"set it to {BLOCKS[backbone]} or less; backbone freezes all of it",
            )
        )
    if base.kind == "none":
        found.append(
            Finding(
                "error",
                "train.freeze",
                str(freeze),
                f"there are no weights (checkpoint.source {base.source}): frozen layers would stay random",
                "set checkpoint.source to weights for this model, or train.freeze to none",
            )
        )
    elif freeze == "heads-only" and not base.detector:
        found.append(
            Finding(
                "warning",
                "train.freeze",
                str(freeze),
                f"checkpoint.source {base.source} fills the backbone only: the layers that make its feature maps would "
                "stay random",
                "set it to backbone, or checkpoint.source to a detector's weights (zoo, base, a path)",
            )
        )
    return found


def _whole(weights: Path) -> bool:
    """Whether arrays are a detector's: those have checkpoint keys for names, a backbone's the names of its layers."""
    try:
        with zipfile.ZipFile(weights) as archive:
            return any(name.startswith("model/") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile) as error:
        raise CheckpointError(
            f"{weights}: cannot be read, but base.json beside it promises it: {error}; run `dvc repro -f checkpoint`"
        ) from error
