"""Opens exported models in the runtimes that people deploy, and compares what they find with what `predict` found.

It runs in an environment that has nothing of this project, and imports nothing of it.
Usage: python scripts/open_exported.py MODEL_FOLDER WORK_FOLDER
"""

# ruff: noqa: PLC0415 - each runtime is imported where it is used: one that is missing hides no other

import json
import os
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("GLOG_minloglevel", "3")

import numpy as np
from PIL import Image

# (name, box in pixels [xmin, ymin, xmax, ymax], score), best first.
Found = list[tuple[str, list[float], float]]
# From this score on detections are compared; `predict` wrote those from 0.05 on.
_LEAST_SCORE = 0.1
# How far two runtimes may be apart, in score and in pixels: MediaPipe rounds boxes to whole pixels.
_TOLERANCES = {"MediaPipe": (1e-2, 1.01), "LiteRT": (1e-4, 0.1), "ONNX Runtime": (1e-3, 0.5), "TensorFlow": (1e-3, 0.5)}
# What is read of a label map, as the description of a protobuf file.
_LABEL_MAP = """
name: "label_map.proto"
message_type {
  name: "Item"
  field { name: "name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "id" number: 2 type: TYPE_INT32 label: LABEL_OPTIONAL }
}
message_type {
  name: "LabelMap"
  field { name: "item" number: 1 type: TYPE_MESSAGE type_name: ".Item" label: LABEL_REPEATED }
}
"""


def main(model: Path, work: Path) -> int:
    """Print a line for each model and runtime; 1 where one of them finds something else."""
    photos = sorted((work / "photos").glob("*.png"))
    # A TFLite file gives some classes for each of so many boxes; `predict` keeps as many detections as the others give.
    most = int(re.findall(r"max_total_detections: (\d+)", (model / "pipeline.config").read_text("utf-8"))[-1])
    failed = False
    for file, runtime, detector in _detectors(model):
        ours = _ours(work / file / "detections.json")
        worst_score = worst_px = 0.0
        compared = missing = 0
        for photo in photos:
            image = np.asarray(Image.open(photo).convert("RGB"))
            theirs = sorted(detector(image), key=lambda each: -each[2])[:most]
            score, px, count, lost = _compare(ours[photo.name], theirs, image.shape)
            worst_score, worst_px = max(worst_score, score), max(worst_px, px)
            compared, missing = compared + count, missing + lost
        most_score, most_px = _TOLERANCES[runtime]
        equal = not missing and worst_score <= most_score and worst_px <= most_px and compared > 0
        failed |= not equal
        print(
            f"{file:24} {runtime:14} {'equal' if equal else 'DIFFERS'}: {compared} detections in {len(photos)} photos, "
            f"scores within {worst_score:.1e}, boxes within {worst_px:.2f} px, {missing} found by one alone",
            flush=True,
        )
    print(
        "export-check: the models marked DIFFERS give something else there: do not ship them"
        if failed
        else "export-check: all equal"
    )
    return 1 if failed else 0


def _detectors(model: Path) -> Iterator[tuple[str, str, Callable[[np.ndarray], Found]]]:
    for file in sorted(model.glob("*.tflite")):
        yield file.name, "LiteRT", _litert(file, _labels(file))
        with _mediapipe(file) as detect:
            yield file.name, "MediaPipe", detect
    for file in sorted(model.glob("*.onnx")):
        yield file.name, "ONNX Runtime", _onnx(file)
    yield model.name, "TensorFlow", _tensorflow(model)


def _compare(ours: Found, theirs: Found, shape: tuple[int, ...]) -> tuple[float, float, int, int]:
    """The largest difference of score and of box, how many were compared, and how many only one of both has."""
    worst_score = worst_px = 0.0
    wanted = [each for each in ours if each[2] >= _LEAST_SCORE]
    left, missing = list(theirs), 0
    for name, box, score in wanted:
        same = [
            (_apart(each[1], box, shape), abs(each[2] - score), each)
            for each in left
            if _plain(each[0]) == _plain(name)
        ]
        same = [each for each in same if each[1] < 0.1]
        if not same:
            missing += 1
            continue
        px, apart, nearest = min(same, key=lambda each: each[0] + 100 * each[1])
        left.remove(nearest)
        worst_px, worst_score = max(worst_px, px), max(worst_score, apart)
    # What only the other finds, but for scores at the limit.
    missing += sum(each[2] >= 1.2 * _LEAST_SCORE for each in left)
    return worst_score, worst_px, len(wanted), missing


def _plain(name: str) -> str:
    """A name as a list of labels has it, a line each."""
    return " ".join(name.split())


def _apart(box: list[float], reference: list[float], shape: tuple[int, ...]) -> float:
    """How far corner, width and height are apart, in pixels.

    Not all runtimes cut a box at the edge of the photo: what the edge cuts off in `reference` is not compared.
    """
    worst = 0.0
    for low, high, side in ((0, 2, shape[1]), (1, 3, shape[0])):
        if reference[low] > 0:
            worst = max(worst, abs(box[low] - reference[low]))
            if reference[high] < side:
                worst = max(worst, abs((box[high] - box[low]) - (reference[high] - reference[low])))
    return worst


def _ours(file: Path) -> dict[str, Found]:
    content = json.loads(file.read_text(encoding="utf-8"))
    names = {category["id"]: category["name"] for category in content["categories"]}
    found: dict[int, Found] = {image["id"]: [] for image in content["images"]}
    for each in content["annotations"]:
        x, y, width, height = each["bbox"]
        found[each["image_id"]].append((names[each["category_id"]], [x, y, x + width, y + height], each["score"]))
    return {Path(image["file_name"]).name: found[image["id"]] for image in content["images"]}


def _litert(file: Path, labels: list[str]) -> Callable[[np.ndarray], Found]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    (entry,) = interpreter.get_input_details()
    outputs = sorted(interpreter.get_output_details(), key=lambda output: output["name"])
    _, height, width, _ = entry["shape"]

    def detect(image: np.ndarray) -> Found:
        pixels = _resized(image, height, width)
        is_float = entry["dtype"] is np.float32
        value = pixels * np.float32(2 / 255) - np.float32(1) if is_float else np.rint(pixels).astype(np.uint8)
        interpreter.set_tensor(entry["index"], value[None].astype(entry["dtype"]))
        interpreter.invoke()
        count, scores, classes, boxes = (interpreter.get_tensor(output["index"])[0] for output in outputs)
        # The count is of boxes; each has an entry for each of its classes, of ten at most.
        n = int(count) * min(len(labels), 10)
        return _detections([labels[int(index)] for index in classes[:n]], boxes[:n], scores[:n], image)

    return detect


@contextmanager
def _mediapipe(file: Path) -> Iterator[Callable[[np.ndarray], Found]]:
    import mediapipe as mp
    from mediapipe.tasks import python as tasks
    from mediapipe.tasks.python import vision

    # Opened as an app would: the file and nothing else; it brings its labels. All results, not the best few.
    options = vision.ObjectDetectorOptions(
        base_options=tasks.BaseOptions(model_asset_path=str(file)), max_results=-1, score_threshold=0.01
    )
    with vision.ObjectDetector.create_from_options(options) as detector:

        def detect(image: np.ndarray) -> Found:
            result = detector.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(image)))
            found: Found = []
            for each in result.detections:
                x, y = float(each.bounding_box.origin_x), float(each.bounding_box.origin_y)
                box = [x, y, x + each.bounding_box.width, y + each.bounding_box.height]
                # It joins the classes of one box to one detection.
                found += [(category.category_name or "", box, category.score or 0.0) for category in each.categories]
            return found

        yield detect


def _onnx(file: Path) -> Callable[[np.ndarray], Found]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    names = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
    wanted = ["detection_boxes", "detection_classes", "detection_scores", "num_detections"]

    def detect(image: np.ndarray) -> Found:
        boxes, classes, scores, count = (value[0] for value in session.run(wanted, {"input_tensor": image[None]}))
        n = int(count)
        return _detections([names[int(number) - 1] for number in classes[:n]], boxes[:n], scores[:n], image)

    return detect


def _tensorflow(folder: Path) -> Callable[[np.ndarray], Found]:
    import tensorflow as tf

    serve = tf.saved_model.load(str(folder / "saved_model")).signatures["serving_default"]
    # A SavedModel has no place for names.
    labels = _label_map(folder / "label_map.pbtxt")

    def detect(image: np.ndarray) -> Found:
        outputs = {name: value.numpy()[0] for name, value in serve(input_tensor=tf.constant(image[None])).items()}
        n = int(outputs["num_detections"])
        names = [labels[int(number)] for number in outputs["detection_classes"][:n]]
        return _detections(names, outputs["detection_boxes"][:n], outputs["detection_scores"][:n], image)

    return detect


def _detections(names: list[str], boxes: Any, scores: Any, image: np.ndarray) -> Found:
    height, width = image.shape[:2]
    pixels = np.clip(boxes, 0, 1)[:, [1, 0, 3, 2]] * [width, height, width, height]
    return [(name, box, float(score)) for name, box, score in zip(names, pixels.tolist(), scores, strict=True)]


def _resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    import tensorflow as tf

    resized: np.ndarray = tf.image.resize(image[None], [height, width]).numpy()[0]
    return resized.astype(np.float32)


def _label_map(file: Path) -> dict[int, str]:
    """The names of a label map by their ids.

    Protobuf reads its own text: the escapes in it, quotes of both kinds, comments, and fields that are not asked for.
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

    pool = descriptor_pool.DescriptorPool()
    pool.Add(text_format.Parse(_LABEL_MAP, descriptor_pb2.FileDescriptorProto()))
    label_map = message_factory.GetMessageClass(pool.FindMessageTypeByName("LabelMap"))()
    text_format.Parse(file.read_text(encoding="utf-8-sig"), label_map, allow_unknown_field=True)
    return {item.id: item.name for item in label_map.item}


def _labels(file: Path) -> list[str]:
    """The names that a TFLite file carries behind its model, as an archive."""
    with zipfile.ZipFile(file) as archive:
        return archive.read("labels.txt").decode("utf-8").split("\n")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
