"""All variants of one network, each written, scored on the val split, and kept or left out."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tasks.dataset.dataset import Dataset
from tasks.detector.network import Network
from tasks.exporting.edge_tpu import edge_tpu_fallbacks
from tasks.exporting.int8 import Prepare, quantise
from tasks.exporting.saved_model import save_function
from tasks.exporting.tflite import Converter
from tasks.exporting.tflite_graph import tflite_graph
from tasks.exporting.tflite_metadata import Metadata, with_metadata
from tasks.ground.text import print_text
from tasks.metrics.differences import Difference
from tasks.model.onnx_file import OPSET
from tasks.model.variants import VARIANTS, ExportedVariants, WrittenVariant
from tasks.params import VariantName

if TYPE_CHECKING:
    from tasks.params import ExportParams

_FLOAT_FORMS = {
    "float32": "float32 throughout",
    "float16": "float16 weights",
    "dynamic": "int8 weights, float32 between layers",
}


class Judge(Protocol):
    """Measures a variant on the val split."""

    def difference(self, file: Path) -> Difference:
        """The variant's mAP less the SavedModel's."""

    def is_too_much(self, difference: Difference) -> bool:
        """Whether a variant with this difference would not be shipped."""

    def why_left_out(self, file: Path, difference: Difference) -> str | None:
        """The reason not to ship it; None where there is none."""


@dataclass(frozen=True)
class Source:
    """What the variants are made from.

    Attributes:
        network: trained.
        pipeline_config: the message.
        metadata: what is written into the files.
        prepare: makes a photo what a TFLite file takes.
    """

    network: Network
    pipeline_config: Any
    metadata: Metadata
    prepare: Prepare


def export_variants(
    source: Source, params: "ExportParams", train: Dataset, folder: Path, judge: Judge
) -> ExportedVariants:
    """Write the variants of `params` into `folder`, which holds the label map; `train` measures int8's ranges.

    A variant that the network's meta-architecture has no form for is left out; where that leaves none, ONNX is written.

    Raises:
        CheckpointError: a variant cannot be made of this model.
        DataError: int8 has no training images.
        PipelineError: the judge stops.
    """
    written: dict[VariantName, WrittenVariant] = {}
    left_out = _unavailable(source.network, params.variants)
    possible = [name for name in params.variants if name not in left_out] or _substitutes(left_out)
    with _graph_for(possible, source, params.max_detections) as graph:
        converter = Converter(graph)
        for name in possible:
            file = folder / VARIANTS[name].file
            if name == "int8":
                variant, difference = _export_int8(converter, source, params, train, file, judge)
            else:
                variant = _export_onnx(source, file) if name == "onnx" else _export_float(converter, source, name, file)
                difference = judge.difference(file)
            reason = judge.why_left_out(file, difference)
            if reason is None:
                written[name] = variant
            else:
                left_out[name] = reason
                file.unlink()
    return ExportedVariants(written=written, left_out=left_out)


def export_float32(network: Network, pipeline_config: Any, file: Path, *, max_detections: int) -> None:
    """Write the float32 TFLite file alone, without metadata."""
    with _graph(network, pipeline_config, max_detections) as graph:
        file.write_bytes(Converter(graph).convert("float32"))


def _unavailable(network: Network, names: Sequence[VariantName]) -> dict[VariantName, str]:
    """Why variants cannot be made of such a network, by their names; it is printed, too."""
    unavailable = network.architecture.unavailable
    left_out = {name: unavailable[VARIANTS[name].runtime] for name in names if VARIANTS[name].runtime in unavailable}
    for name, why in left_out.items():
        print_text(f"export: {VARIANTS[name].file} is left out: {why}")
    return left_out


def _substitutes(left_out: Mapping[VariantName, str]) -> list[VariantName]:
    """What is written where every variant that was asked for is left out: a SavedModel alone serves few apps."""
    if not left_out:
        return []
    print_text(f"export: {VARIANTS['onnx'].file} is written in place of them")
    return ["onnx"]


@contextmanager
def _graph_for(names: Sequence[VariantName], source: Source, max_detections: int) -> Iterator[Path]:
    """As `_graph`; an empty path where none of `names` is made of it."""
    if not any(VARIANTS[name].runtime == "TFLite" for name in names):
        yield Path()
        return
    with _graph(source.network, source.pipeline_config, max_detections) as graph:
        yield graph


@contextmanager
def _graph(network: Network, pipeline_config: Any, max_detections: int) -> Iterator[Path]:
    """The detection graph as a SavedModel, which the converter reads."""
    with tempfile.TemporaryDirectory() as folder:
        save_function(network, tflite_graph(network, pipeline_config, max_detections=max_detections), Path(folder))
        yield Path(folder)


def _export_float(converter: Converter, source: Source, name: VariantName, file: Path) -> WrittenVariant:
    file.write_bytes(with_metadata(converter.convert(name), source.metadata))
    return WrittenVariant(file=file.name, form=_FLOAT_FORMS[name])


def _export_onnx(source: Source, file: Path) -> WrittenVariant:
    # The ONNX packages take a second to import, and are seldom wanted.
    from tasks.exporting.onnx_model import export_onnx  # noqa: PLC0415

    export_onnx(source.network, source.pipeline_config, file, classes=source.metadata.classes)
    return WrittenVariant(file=file.name, form=f"float32 throughout, opset {OPSET}")


def _export_int8(
    converter: Converter, source: Source, params: "ExportParams", train: Dataset, file: Path, judge: Judge
) -> tuple[WrittenVariant, Difference]:
    def difference_of(content: bytes) -> Difference:
        file.write_bytes(with_metadata(content, source.metadata))
        return judge.difference(file)

    made = quantise(
        converter.quantize,
        train,
        prepare=source.prepare,
        calibration_images=params.calibration_images,
        is_too_much=judge.is_too_much,
        difference_of=difference_of,
    )
    # Of several forms the last one tried lies there.
    file.write_bytes(with_metadata(made.content, source.metadata))
    variant = WrittenVariant(
        file=file.name,
        form=made.form.name,
        calibration_images=made.images,
        edge_tpu_fallbacks=edge_tpu_fallbacks(made.content),
    )
    return variant, made.difference
