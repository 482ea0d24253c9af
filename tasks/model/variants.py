"""The forms in which a trained detector is exported beside its SavedModel: their names, files and runtimes.

What `export` made of each lies in variants.json beside them: which of them were written, and how.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.errors import CheckpointError, FormatError
from tasks.ground.files import read_small, write_json
from tasks.ground.stage_files import restored_by
from tasks.params import VariantName

T = TypeVar("T")
Runtime = Literal["TFLite", "ONNX Runtime"]
VARIANTS_FILE = "variants.json"
_MAX_BYTES = 1_000_000
# A box's further classes have scores next to nothing, and every one lengthens the output.
_MAX_CLASSES_A_BOX = 10


@dataclass(frozen=True)
class Variant:
    """One form.

    Attributes:
        file: its name in the export folder.
        runtime: what runs it.
        purpose: what to take it for, for people.
    """

    file: str
    runtime: Runtime
    purpose: str


VARIANTS: Mapping[VariantName, Variant] = {
    "float32": Variant("model.tflite", "TFLite", "the reference on phones and boards; nothing is rounded"),
    "float16": Variant(
        "model_float16.tflite", "TFLite", "half the size, the same figures; phones' GPUs compute with it"
    ),
    "dynamic": Variant("model_dynamic.tflite", "TFLite", "a small download for a CPU, where int8 loses too much"),
    "int8": Variant("model_int8.tflite", "TFLite", "small and fast: CPUs, Edge TPU, other NPUs"),
    "onnx": Variant("model.onnx", "ONNX Runtime", "servers and desktops without TensorFlow; batches of any size"),
}

_WIDE_INT8 = "where all else loses too much: 16-bit activations are slow on CPUs, and not for an Edge TPU"
_BY_FILE = {variant.file: name for name, variant in VARIANTS.items()}


def purpose_of(name: VariantName, *, takes_pixels: bool) -> str:
    """What to take a variant for. An int8 file with 16-bit activations does not take pixels."""
    return _WIDE_INT8 if name == "int8" and not takes_pixels else VARIANTS[name].purpose


class WrittenVariant(BaseModel):
    """What `export` wrote for one variant.

    Attributes:
        file: its name in the export folder.
        form: how it was made, for people, such as `full integer, weights by channel`.
        calibration_images: how many training images its ranges were measured on; None where none are needed.
        edge_tpu_fallbacks: of int8, the operations that an Edge TPU leaves to the CPU, each with how often it occurs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    form: str
    calibration_images: int | None = None
    edge_tpu_fallbacks: dict[str, int] | None = None


class ExportedVariants(BaseModel):
    """The content of variants.json.

    Attributes:
        written: what was written, by variant.
        left_out: why the others that were asked for were not, by variant.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    written: dict[VariantName, WrittenVariant]
    left_out: dict[VariantName, str]


def read_variants(folder: Path) -> ExportedVariants:
    """What the export folder `folder` holds beside the SavedModel.

    Raises:
        FormatError: the file is missing, or is not what `export` writes.
    """
    file = folder / VARIANTS_FILE
    try:
        return ExportedVariants.model_validate_json(read_small(file, _MAX_BYTES, "a list of variants"))
    except FileNotFoundError as error:
        raise FormatError(f"{file}: no such file; {restored_by('export')}") from error
    except (ValidationError, RecursionError) as error:
        raise FormatError(f"{file}: not what the export stage writes ({error}); {restored_by('export')}") from error


def write_variants(folder: Path, variants: ExportedVariants) -> None:
    """Write variants.json into `folder`."""
    write_json(folder / VARIANTS_FILE, variants.model_dump(exclude_none=True))


def export_folder(model: Path) -> Path:
    """The export folder of `model`, which is one, or the file of a variant in one.

    Raises:
        CheckpointError: there is no such folder or file, it is the SavedModel in one, or no runtime is known for it.
        FormatError: a file is missing, and the list of what was left out cannot be read.
    """
    if model.is_dir():
        if (model / "saved_model.pb").is_file():
            where = f", {model.parent}" if model.name == "saved_model" else ""
            raise CheckpointError(f"{model}: a SavedModel; name the export folder in which it lies{where}")
        return model
    if not model.is_file() and model.parent.is_dir() and model.name in _BY_FILE:
        reason = _why_left_out(model)
        if reason:
            raise CheckpointError(f"{model}: left out at export: {reason}")
        raise CheckpointError(
            f"{model}: not exported: add {variant_name(model)} to export.variants in params.yaml, then run `make run`"
        )
    if not model.is_file():
        raise CheckpointError(f"{model}: no exported model here; run `make run` first, or name one with --model")
    runtime_of(model)
    return model.parent


def _why_left_out(file: Path) -> str | None:
    """Why `export` did not write the variant `file`; None where nothing says so."""
    if not (file.parent / VARIANTS_FILE).is_file():
        return None
    return read_variants(file.parent).left_out.get(variant_name(file))


def variant_name(file: Path) -> VariantName:
    """The name of the variant that is exported as `file`, one of `VARIANTS`."""
    return _BY_FILE[file.name]


def runtime_of(file: Path) -> Runtime:
    """What runs a model's file, by its suffix.

    Raises:
        CheckpointError: no runtime is known for such a file.
    """
    runtimes: dict[str, Runtime] = {".tflite": "TFLite", ".onnx": "ONNX Runtime"}
    runtime = runtimes.get(file.suffix.lower())
    if runtime is None:
        raise CheckpointError(
            f"{file}: not a model that is run here; name an export folder, a .tflite or an .onnx file"
        )
    return runtime


def in_table_order(by_name: Mapping[str, T]) -> list[tuple[str, T]]:
    """Name and value of each model, variants in the order of `VARIANTS`, what is none before them."""
    places = {str(name): place for place, name in enumerate(VARIANTS, 1)}
    return sorted(by_name.items(), key=lambda entry: places.get(entry[0], 0))


def classes_a_box(num_classes: int) -> int:
    """How many classes TFLite's detection operation gives for each box, in the files that are exported here."""
    return min(num_classes, _MAX_CLASSES_A_BOX)
