"""What the shipped SSD MobileNet V2 does before any training: against its source, and on photographs."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from PIL import Image

from studies.objectron import OBJECTRON, split_assets
from studies.packages import unpack
from studies.weights.compare import compare_with_tflite
from studies.weights.convert import detector_network
from studies.weights.folded import fill
from studies.weights.photos import photos_in
from tasks.dataset.boxes import from_tf
from tasks.dataset.detections import Detections
from tasks.detector.network import Network
from tasks.errors import DataError
from tasks.ground.files import replacing
from tasks.images.drawing import draw_detections
from tasks.images.image_file import read_rgb
from tasks.weights.shipped import SSD, read_shipped

_MAX_MEGAPIXELS = 100
_PICTURE_HEIGHT = 480


def compare(packages: Path, photos: Path, count: int) -> dict[str, object]:
    """The largest differences between weights/mobilenet_v2_ssd.npz and the package's TFLite file on photographs.

    Raises:
        PipelineError: the package cannot be fetched, or it or the file in weights/ is damaged.
        DataError, FormatError: fewer than `count` photographs, or one that cannot be read.
    """
    with TemporaryDirectory() as temporary:
        model = split_assets(*unpack([OBJECTRON], packages, Path(temporary)))[1]
    paths = photos_in(photos)[:count]
    if len(paths) < count:
        raise DataError(f"{photos}: {len(paths)} photographs, not {count}")
    network, _ = _shipped_network()
    images = np.stack([_scaled(read_rgb(path, max_megapixels=_MAX_MEGAPIXELS), network) for path in paths])
    boxes, logits = compare_with_tflite(network, model, images)
    return {
        "photographs": len(paths),
        "largest difference of box encodings": f"{boxes:.2g}",
        "largest difference of class logits": f"{logits:.2g}",
    }


def picture(photos: Sequence[Path], out: Path, score: float) -> dict[str, object]:
    """Write one picture of `photos` side by side, with the detections that have at least this `score`; how many.

    Raises:
        CheckpointError: the file in weights/ is missing or damaged.
        FormatError: a photograph cannot be read.
    """
    network, classes = _shipped_network()
    drawn = []
    counts = {}
    for path in photos:
        image = _of_height(read_rgb(path, max_megapixels=_MAX_MEGAPIXELS), _PICTURE_HEIGHT)
        found = _detect(network, image, classes, score)
        counts[path.name] = ", ".join(f"{found.classes[i]} {found.scores[i]:.2f}" for i in range(len(found.classes)))
        drawn.append(draw_detections(Image.fromarray(image), found, classes))
    row = Image.new("RGB", (sum(each.width for each in drawn), _PICTURE_HEIGHT))
    left = 0
    for each in drawn:
        row.paste(each, (left, 0))
        left += each.width
    with replacing(out) as beside:
        row.save(beside, format="JPEG", quality=90)
    return {**counts, "picture": out}


def _shipped_network() -> tuple[Network, tuple[str, ...]]:
    arrays, card = read_shipped(SSD)
    network = detector_network(len(card.classes))
    fill(network, arrays)
    return network, tuple(card.classes)


def _scaled(image: npt.NDArray[np.uint8], network: Network) -> npt.NDArray[np.uint8]:
    scaled = tf.image.resize(image, [network.height, network.width])
    pixels: npt.NDArray[np.uint8] = np.rint(scaled.numpy()).astype(np.uint8)
    return pixels


def _of_height(image: npt.NDArray[np.uint8], height: int) -> npt.NDArray[np.uint8]:
    width = round(image.shape[1] * height / image.shape[0])
    return np.asarray(Image.fromarray(image).resize((width, height)), dtype=np.uint8)


def _detect(network: Network, image: npt.NDArray[np.uint8], classes: tuple[str, ...], score: float) -> Detections:
    def detect(batch: tf.Tensor) -> dict[str, tf.Tensor]:
        raw = network.forward(batch, training=False)
        found: dict[str, tf.Tensor] = network.model.postprocess(raw, network.whole_shapes(batch))
        return found

    traced = tf.function(detect, autograph=False)
    found = traced(tf.constant(_scaled(image, network)[np.newaxis].astype(np.float32)))
    boxes, numbers, scores = (found[f"detection_{name}"][0].numpy() for name in ("boxes", "classes", "scores"))
    kept = scores >= score
    return Detections(
        boxes=from_tf(boxes[kept].astype(np.float64), height=image.shape[0], width=image.shape[1]),
        classes=tuple(classes[int(i)] for i in numbers[kept]),
        scores=scores[kept].astype(np.float64),
    )
