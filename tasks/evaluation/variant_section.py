"""The section of the model's card on its variants: what each loses, how large and fast it is, and code to run it."""

from collections.abc import Sequence

from tasks.artifacts.speed import Latency, ModelSpeed, Speed
from tasks.artifacts.variant_losses import VariantLoss, VariantLosses
from tasks.ground.figures import change_text, figure_text, milliseconds_text
from tasks.ground.text import markdown_text
from tasks.metrics.loss_texts import interval_or_reason, remarks
from tasks.model.variants import classes_a_box, purpose_of

_TFLITE = """```python
import zipfile
import numpy as np, tensorflow as tf                 # or: from ai_edge_litert.interpreter import Interpreter
from PIL import Image, ImageOps

names = zipfile.ZipFile("exported/{file}").read("labels.txt").decode().split("\\n")
model = tf.lite.Interpreter("exported/{file}", num_threads=2)
model.allocate_tensors()
(entry,) = model.get_input_details()
_, height, width, _ = entry["shape"]
photo = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")    # upright
# Bilinear between pixels, as in training. resize() also smooths, and moves scores by some hundredths.
whole, bilinear = (0, 0, *photo.size), Image.Resampling.BILINEAR
image = np.asarray(photo.transform((width, height), Image.Transform.EXTENT, whole, bilinear))[None]
model.set_tensor(entry["index"], {pixels})
model.invoke()
outputs = sorted(model.get_output_details(), key=lambda output: output["name"])
count, scores, classes, boxes = (model.get_tensor(output["index"])[0] for output in outputs)
n = int(count) * {classes_a_box}                                  # a box has an entry for each of its classes
for i in np.flatnonzero(scores[:n] >= {score}):                      # classes count from 0; boxes as above
    print(names[int(classes[i])], scores[i], boxes[i])
```"""
_FLOATS, _PIXELS = "image.astype(np.float32) / 127.5 - 1.0", "image"
_ONNX = """```python
import json
import numpy as np, onnxruntime
from PIL import Image, ImageOps

model = onnxruntime.InferenceSession("exported/{file}", providers=["CPUExecutionProvider"])
names = json.loads(model.get_modelmeta().custom_metadata_map["classes"])
image = np.asarray(ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB"))  # upright; uint8, any size
outputs = ["detection_scores", "detection_classes", "detection_boxes"]
scores, classes, boxes = (output[0] for output in model.run(outputs, {{"input_tensor": image[None]}}))
for i in np.flatnonzero(scores >= {score}):                          # classes count from 1; boxes as above
    print(names[int(classes[i]) - 1], scores[i], boxes[i])
```"""


def variant_section(losses: VariantLosses, speed: Speed, score: str, num_classes: int) -> list[str]:
    """Markdown lines; none where there are no variants.

    `score` is the score threshold, as text; `num_classes` is of the model.
    """
    if not losses.scored and not losses.left_out:
        return []
    lines = ["## Variants", ""]
    if losses.scored:
        lines += [*_table(losses, speed), ""]
    for remark in remarks(losses):
        lines += [f"{markdown_text(remark)}.", ""]
    for each in losses.scored:
        lines += [
            f"`exported/{each.file}` ({markdown_text(each.form)}), in Python:",
            "",
            _snippet(each, score, num_classes),
            "",
        ]
    return lines + _edge_tpu(losses.scored)


def _table(losses: VariantLosses, speed: Speed) -> list[str]:
    threads = sorted({count for model in speed.models.values() for count in model.by_threads})
    head = [
        "file",
        "mAP",
        "less the SavedModel",
        "95 %",
        "MB",
        *(_in_threads(count) for count in threads),
        "take it for",
    ]
    return [
        f"Each ran over the test images in its own runtime, on {markdown_text(speed.machine)}. The times are of the "
        "runtime alone, from its scaled input to boxes, by threads: the median, and the 95th percentile in brackets.",
        "",
        f"| {' | '.join(head)} |",
        "|---|" + "---:|" * (len(head) - 2) + "---|",
        *(_row(each, losses.carriers, speed.models.get(each.name, ModelSpeed()), threads) for each in losses.scored),
    ]


def _row(loss: VariantLoss, carriers: int, speed: ModelSpeed, threads: Sequence[int]) -> str:
    mark = " **too much**" if loss.is_too_much else ""
    cells = [
        f"`{loss.file}`",
        figure_text(loss.mean_ap),
        f"{'not known' if loss.difference is None else change_text(loss.difference)}{mark}",
        interval_or_reason(loss.difference, loss.interval, carriers),
        figure_text(loss.size_mb, 1),
        *(_latency(speed.by_threads.get(count)) for count in threads),
        purpose_of(loss.name, takes_pixels=loss.takes_pixels),
    ]
    return f"| {' | '.join(cells)} |"


def _in_threads(count: int) -> str:
    return f"ms, {count} thread{'s' if count > 1 else ''}"


def _latency(latency: Latency | None) -> str:
    return "" if latency is None else f"{milliseconds_text(latency.p50_ms)} ({milliseconds_text(latency.p95_ms)})"


def _snippet(loss: VariantLoss, score: str, num_classes: int) -> str:
    if loss.runtime == "ONNX Runtime":
        return _ONNX.format(file=loss.file, score=score)
    pixels = _PIXELS if loss.takes_pixels else _FLOATS
    return _TFLITE.format(file=loss.file, score=score, pixels=pixels, classes_a_box=classes_a_box(num_classes))


def _edge_tpu(losses: Sequence[VariantLoss]) -> list[str]:
    left = next((each.edge_tpu_fallbacks for each in losses if each.edge_tpu_fallbacks and each.takes_pixels), None)
    if left is None:
        return []
    named = ", ".join(f"{name} ({count})" for name, count in left.items())
    return [
        "For a Coral Edge TPU: `edgetpu_compiler exported/model_int8.tflite`. By its operations the compiler leaves to "
        f"the CPU: {named}. It was not run.",
        "",
    ]
