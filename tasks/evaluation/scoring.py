"""An exported model on one split of the data: what is shipped is what is scored."""

from tqdm import tqdm

from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.dataset.detections import Detections, Detector, batches
from tasks.errors import EvaluationError
from tasks.images.image_file import read_rgb


def detect_all(detector: Detector, images: Dataset, batch_size: int, name: str) -> list[Detections]:
    """Detections in every image of `images`, in their order; `name` is the detector's, for the progress bar.

    Up to `batch_size` images are held at once, fewer where they are large (`batches` says how large).

    Raises:
        EvaluationError: the detector's classes are not the images', or an image was not scored.
    """
    if detector.classes != images.classes:
        raise EvaluationError(
            f"{name} knows the classes {', '.join(detector.classes)}, the split has {', '.join(images.classes)}; "
            "run `dvc repro` so that both come from the same run"
        )
    detections: list[Detections] = []
    with tqdm(total=len(images.images), desc=name, unit="image") as bar:
        for batch in batches(images.images, batch_size, pixel_count):
            detections += detector.detect([read_rgb(images.image_path(image)) for image in batch])
            bar.update(len(batch))
    if len(detections) != len(images.images):
        raise EvaluationError(
            f"{name}: {len(detections)} of {len(images.images)} images were scored; the rest were lost"
        )
    return detections


def pixel_count(image: AnnotatedImage) -> int:
    """Width times height, as the annotation has them."""
    return image.width * image.height
