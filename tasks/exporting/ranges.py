"""The range of every tensor of a float TFLite file on images, from which the converter makes int8's scales.

TensorFlow's own `Calibrator` reads what goes into an operation after the operation has run. TFLite lets an addition or
a multiplication write its result where its input was, so that the input's range becomes that of the result, too: in
`(image + 1) * 127.5`, the sum of 0 to 2 gets a step of 1. Here every tensor keeps a place of its own.

From the least to the greatest value is seldom the best range: a few values far out make the steps of all others coarse.
The range is cut to where the squared error, of cut and of rounded values together, is least.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
from tensorflow.lite.python import schema_py_generated as schema

from tasks.exporting.interpreter import Floats, Images, every_tensor, float_tensors
from tasks.exporting.tflite_tensors import file_of, read_content

Range = tuple[float, float]

_BINS = 2048
# One image has thousands of values of each tensor.
_IMAGES_FOR_HISTOGRAMS = 32
# Runtimes refuse a scale near zero, as a channel that is off on all images would have.
_LEAST_WIDTH = 1e-6
# What is left of each end.
_PARTS = np.linspace(1.0, 0.3, 15)


def with_ranges(model: bytes, images: Images) -> bytes:
    """The float TFLite file `model` with the range of each tensor over all `images`, cut where that is better.

    `images` are inputs, at least one; of training images only. The input keeps its whole range.
    """
    content = read_content(model)
    (graph,) = content.subgraphs
    whole = _whole_ranges(model, images)
    histograms = _histograms(model, whole, images.first(_IMAGES_FOR_HISTOGRAMS))
    for tensor, ends in whole.items():
        is_input = tensor in graph.inputs
        low, high = ends if is_input else best_range(histograms[tensor], ends)
        quantization = schema.QuantizationParametersT()
        quantization.min, quantization.max = np.array([low], np.float32), np.array([high], np.float32)
        graph.tensors[tensor].quantization = quantization
    return file_of(content)


def best_range(histogram: npt.NDArray[np.int64], ends: Range) -> Range:
    """The part of `ends` in which 256 steps stand for the values with the least squared error.

    `histogram` counts the values in bins of equal width from `ends[0]` to `ends[1]`. Zero lies in every range, as in
    those of the converter.
    """
    bins = np.flatnonzero(histogram)
    counts, width = histogram[bins], (ends[1] - ends[0]) / len(histogram)
    values = ends[0] + (bins + 0.5) * width
    # Where all values are at one end, the middle of its bin is not where they are.
    values[bins == 0], values[bins == len(histogram) - 1] = ends
    if ends[1] - ends[0] < _LEAST_WIDTH:
        return min(ends[0], 0.0), max(ends[1], 1.0)
    best, least = ends, np.inf
    for low in min(ends[0], 0.0) * (_PARTS if ends[0] < 0 else _PARTS[:1]):
        for high in max(ends[1], 0.0) * (_PARTS if ends[1] > 0 else _PARTS[:1]):
            step = (high - low) / 255 or 1.0
            error = np.clip(low + np.round((values - low) / step) * step, low, high) - values
            squared = float((counts * error * error).sum())
            if squared < least:
                best, least = (float(low), float(high)), squared
    return best


def _whole_ranges(model: bytes, images: Iterable[Floats]) -> dict[int, Range]:
    """The least and the greatest value of each tensor over all images."""
    ranges: dict[int, Range] = {}
    for ends in every_tensor(model, float_tensors(model), images, _ends, "ranges"):
        for tensor, (least, greatest) in ends.items():
            low, high = ranges.get(tensor, (np.inf, -np.inf))
            ranges[tensor] = min(low, least), max(high, greatest)
    return ranges


def _histograms(
    model: bytes, ranges: Mapping[int, Range], images: Iterable[Floats]
) -> dict[int, npt.NDArray[np.int64]]:
    """How many values of each tensor lie in each of `_BINS` bins of its range."""

    def histogram(tensor: int, value: Floats) -> npt.NDArray[np.int64]:
        low, high = ranges[tensor]
        # Several times as fast as numpy's histogram, which looks at each edge.
        bins = (value.ravel() - low) * (_BINS / (high - low) if high > low else 0.0)
        # A photo that changed in between may reach farther.
        return np.bincount(np.clip(bins, 0, _BINS - 1).astype(np.int64), minlength=_BINS)

    histograms = {tensor: np.zeros(_BINS, np.int64) for tensor in ranges}
    for counts in every_tensor(model, ranges, images, histogram, "values in each range"):
        for tensor, count in counts.items():
            histograms[tensor] += count
    return histograms


def _ends(tensor: int, value: Floats) -> Range:
    return float(value.min()), float(value.max())
