"""From a package to a file of weights/ with its card."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from studies.objectron import OBJECTRON, split_assets
from studies.packages import Package, unpack
from studies.packing import Facts, write_weights
from studies.weights.compare import compare_with_tflite, largest_difference
from studies.weights.folded import Array, Arrays, fill, measure_batch_norms
from studies.weights.imagenet import read_imagenet_weights
from studies.weights.mobilenet_v1 import read_mobilenet_v1
from studies.weights.objectron import read_objectron
from studies.weights.packages import FACE_API, TORCHVISION
from studies.weights.photos import crops, digest_of, photo_packages
from tasks.artifacts.weights_card import WeightsCard
from tasks.detector.architectures.components import BACKBONE
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.network import Network, build_network, set_learning_phase
from tasks.detector.restore import plain_name
from tasks.errors import CheckpointError
from tasks.ground.files import sha256_of
from tasks.model.definitions import MODELS
from tasks.weights.packed_weights import read_packed, write_packed
from tasks.weights.shipped import IMAGENET, MOBILENET_V1, SSD, models_of

MAX_BYTES = 10_000_000
_BATCH_NORM = ("gamma", "beta", "moving_mean", "moving_variance")
# Of the crops: enough to see a difference.
_COMPARED = 16


@dataclass(frozen=True)
class Conversion:
    """How one file is made.

    Attributes:
        package: where the weights are.
        measured: whether statistics are measured on photographs.
        write: takes the package's files, the photographs and the folder to write to.
    """

    package: Package
    measured: bool
    write: Callable[[Sequence[Path], Sequence[Path], Path], WeightsCard]


def convert(name: str, packages: Path, into: Path) -> dict[str, object]:
    """Write `name`.npz, .json and .md into the folder `into`; figures to print.

    Args:
        name: of the file.
        packages: the folder of the packages' files; what is missing is fetched into it.
        into: a folder.

    Raises:
        PipelineError: a package cannot be fetched, is damaged or another version, or the file would be too large.
    """
    conversion = CONVERSIONS[name]
    into.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as temporary:
        files = unpack([conversion.package], packages, Path(temporary) / "weights")
        photos = unpack(photo_packages(), packages, Path(temporary) / "photos") if conversion.measured else []
        card = conversion.write(files, photos, into)
    if card.bytes > MAX_BYTES:
        raise CheckpointError(f"{into / name}.npz: {card.bytes} bytes, more than the {MAX_BYTES} that git may take")
    return {"bytes": card.bytes, "arrays": card.arrays, "measured": card.result}


def detector_network(classes: int) -> Network:
    """`ssd_mobilenet_v2_320x320` for so many classes, to run."""
    return _network(SSD, classes)


def _network(name: str, classes: int) -> Network:
    config = pipeline_proto(MODELS[models_of(name)[-1]])
    config.model.ssd.num_classes = classes
    return build_network(config, is_training=False)


def _write_ssd(files: Sequence[Path], photos: Sequence[Path], into: Path) -> WeightsCard:
    (assets,) = files
    classes, arrays = read_objectron(assets)
    network = detector_network(len(classes))
    missing = network.variables.keys() - fill(network, arrays)
    if missing:
        raise CheckpointError(f"{assets}: nothing in it for {len(missing)} variables, such as {min(missing)}")
    statistics = _measure(photos, network)
    values = {key: variable.numpy() for key, variable in network.variables.items()}
    # Kernels are float16 in the package. What is undone by BatchNorm must be exact.
    batch_norms = [key for key in values if key.rsplit("/", 1)[-1] in _BATCH_NORM]
    fill(network, _as_packed(values, float32=batch_norms))
    boxes, logits = compare_with_tflite(network, split_assets(assets)[1], statistics.images[:_COMPARED])
    facts = Facts(
        contents="All of `ssd_mobilenet_v2_320x320`, its class head with 23 classes",
        origin=f"trained by MediaPipe's authors on 23 classes of Open Images, from the npm package {OBJECTRON.title}",
        licence="Apache-2.0 (MediaPipe)",
        how=f"converted from TFLite in float16 (studies/weights); {statistics.how}",
        result=f"on {_COMPARED} crops of photographs, the box encodings differ from those of the package's TFLite file "
        f"by at most {boxes:.1g}, the class logits by {logits:.1g}",
        made=statistics.made,
        measured={"box_encodings": boxes, "class_logits": logits},
        source_sha256=sha256_of(assets),
        classes=classes,
    )
    return write_weights(values, facts, into, SSD, float32=batch_norms)


def _write_mobilenet_v1(files: Sequence[Path], photos: Sequence[Path], into: Path) -> WeightsCard:
    manifest, numbers = files
    network = _network(MOBILENET_V1, 1)
    arrays = read_mobilenet_v1(manifest)
    keys = fill(network, arrays)
    if keys != {key for key in network.variables if network.component_of(key) == BACKBONE}:
        raise CheckpointError(f"{manifest}: not all of a MobileNet V1")
    statistics = _measure(photos, network)
    variables = [network.variables[key] for key in sorted(keys)]
    values = {plain_name(variable.name): variable.numpy() for variable in variables}
    images = statistics.images[:_COMPARED]
    # A kernel of eight-bit numbers has 256 values, which are packed well in float32 too.
    fill(network, _as_packed(values, float32=values))
    maps = _last_map(network, images)
    fill(network, arrays)
    difference = largest_difference(maps, _last_map(network, images))
    facts = Facts(
        contents="The backbone of `ssd_mobilenet_v1_fpn`",
        origin=f"that of face-api's face detector, from the npm package {FACE_API.title}",
        licence="MIT (face-api)",
        how=f"converted from TensorFlow.js, where kernels are eight-bit numbers (studies/weights); {statistics.how}",
        result=f"on {_COMPARED} crops of photographs, its last map differs from the package's by {difference:.1g}",
        made=statistics.made,
        measured={"last_map": difference},
        source_sha256=sha256_of(numbers),
    )
    return write_weights(values, facts, into, MOBILENET_V1, float32=values)


def _write_imagenet(files: Sequence[Path], _photos: Sequence[Path], into: Path) -> WeightsCard:
    (file,) = files
    facts = Facts(
        contents="The backbone of every model with MobileNet V2",
        origin=f"ImageNet classification: torchvision's {file.name}, from the Python package {TORCHVISION.title}",
        licence="BSD-3-Clause (torchvision)",
        how="converted from PyTorch (studies/weights); ImageNet's mean and deviation are folded into the first layer",
        result="nothing: tests compare its layers with torchvision's arithmetic",
        made={},
        measured={},
        source_sha256=sha256_of(file),
    )
    return write_weights(read_imagenet_weights(file), facts, into, IMAGENET)


@dataclass(frozen=True)
class _Statistics:
    """Images that BatchNorm statistics were measured on, and what the card says of them, in words and in values."""

    images: npt.NDArray[np.uint8]
    how: str
    made: dict[str, JsonValue]


def _measure(photos: Sequence[Path], network: Network) -> _Statistics:
    """Put BatchNorm statistics back into `network`."""
    images = crops(photos, network.height)
    measure_batch_norms(network, images)
    how = f"BatchNorm statistics from {len(images)} crops of {len(photos)} photographs (README.md there names them)"
    return _Statistics(images, how, {"photos": len(photos), "crops": len(images), "photos_sha256": digest_of(photos)})


def _as_packed(values: Mapping[str, Array], *, float32: Collection[str]) -> Arrays:
    """`values` as they are read from a packed file."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "packed.npz"
        write_packed(values, file, float32=float32)
        return read_packed(file)


def _last_map(network: Network, images: npt.NDArray[np.uint8]) -> Array:
    """The backbone's last map for `(B, height, width, 3)` images."""
    set_learning_phase(training=False)
    maps = network.model.feature_extractor.classification_backbone(
        network.architecture.preprocess(images.astype(np.float32))
    )
    last: Array = maps[-1].numpy()
    return last


CONVERSIONS = {
    SSD: Conversion(OBJECTRON, True, _write_ssd),
    MOBILENET_V1: Conversion(FACE_API, True, _write_mobilenet_v1),
    IMAGENET: Conversion(TORCHVISION, False, _write_imagenet),
}
