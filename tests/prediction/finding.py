"""A detector that finds white, pictures with white in them, and predicting."""

import json

import av
import numpy as np
from PIL import Image

from tasks.dataset.boxes import as_boxes
from tasks.dataset.detections import Detections
from tasks.formats.gather import gather
from tasks.params import IngestParams
from tasks.prediction.kinds import writers_for
from tasks.prediction.run import predict_pictures
from tasks.prediction.writer import Output


class WhiteFinder:
    """Stands where a trained model stands: finds the bounding box of the white pixels, and doubts it once more."""

    classes = ("nothing", "white")

    def __init__(self):
        self.batches = []

    def detect(self, images):
        self.batches.append([image.shape for image in images])
        return [self._one(image) for image in images]

    def _one(self, image):
        assert image.dtype == np.uint8
        rows, columns = np.where(image.min(axis=2) > 200)
        if not rows.size:
            return Detections(as_boxes([]), (), np.zeros(0))
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return Detections(as_boxes([box, box]), ("white", "nothing"), np.array([0.9, 0.2]))


def picture(path, *, size=(60, 40), white=(10, 5, 30, 25), mode="RGB", **options):
    image = Image.new("RGB", size)
    if white:
        image.paste((255, 255, 255), white)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.convert(mode).save(path, **options)
    return path


def listed(out):
    return json.loads((out / "detections.json").read_text(encoding="utf-8"))


def predict_images(paths, detector, out, score, batch_size, write=("pictures", "json"), **more):
    writers = writers_for(write, Output(out, detector.classes, score, 5.0))
    return predict_pictures(paths, detector, writers, score, batch_size=batch_size, **more)


def drawn_in(out):
    return sorted(path.name for path in out.glob("*.jpg"))


def ingested(source, images):
    """What `ingest` makes of the XML files in `source`: the boxes by image, and the kinds of problems."""
    dataset = gather(IngestParams(source=source, images=images, format="voc", columns={}))
    boxes = {image.file_name: image.boxes.astype(int).tolist() for image in dataset.images}
    return boxes, {problem.kind for problem in dataset.problems}


def video(path, frames=5, size=(64, 48)):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for i in range(frames):
            image = Image.new("RGB", size)
            image.paste((255, 255, 255), (8 * i, 8, 8 * i + 16, 24))
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode(None))
    return path
