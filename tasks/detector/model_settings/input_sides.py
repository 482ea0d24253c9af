"""Which sizes of the input the layers of a model can have. Protobuf, not TensorFlow."""

import re
from collections.abc import Iterator
from typing import Any

from tasks.detector.model_settings.ssd_layers import levels_of, pyramid_of

# Where a CenterNet's map is a quarter of the input, and the backbone halves that map so often again.
_HALVED_BY_HOURGLASS = {"10": 1, "20": 2, "32": 3, "52": 5, "104": 5}
_HALVED = 3
_OUTPUT_STRIDE_PX = 4
# The highest level that a backbone makes; the levels of an FPN above it are added to no other.
_HIGHEST_OF_BACKBONE = 5
# From the OD API's extractors of SSDs (`shape_utils.check_min_image_dim`).
_LEAST_PX, _LEAST_OF_LARGE_PX = 33, 129
# One image in float32; a batch has several, and the first layers give many times more.
_MOST_BYTES = 1_000_000_000


def reasons_of_sides(kind: str, model: Any, canvas: tuple[int, int]) -> Iterator[str]:
    """Why the model whose message is `model.KIND` cannot have an input of `canvas`, height and width in pixels."""
    height, width = canvas
    image = height * width * 3 * 4
    if image > _MOST_BYTES:
        size = f"{width} x {height} px"
        yield f"image_resizer: one image of {size} takes {image / 1e9:.0f} GB of memory; write smaller sides"
    step = _step_px(kind, model)
    # An SSD's extractor pads the image to a multiple of this.
    pad = max(1, model.feature_extractor.pad_to_multiple) if kind == "ssd" else 1
    for name, side in (("height", height), ("width", width)):
        if -(-side // pad) * pad % step:
            larger = -(-side // step) * step
            below = f"{larger - step} or " if larger > step else ""
            yield (
                f"image_resizer: its {name} is {side} px, no multiple of {step}, so that feature maps which are added "
                f"up would differ in size; write {below}{larger}"
            )
        if kind == "ssd" and side < _least_px(model):
            extractor = model.feature_extractor.type
            yield f"image_resizer: its {name} is {side} px; {extractor} needs {_least_px(model)} or more"


def _step_px(kind: str, model: Any) -> int:
    """What both sides, padded, must be a multiple of."""
    if kind == "center_net":
        hourglass = re.fullmatch(r"hourglass_(\d+)", model.feature_extractor.type)
        halved = _HALVED_BY_HOURGLASS.get(hourglass[1], _HALVED) if hourglass else _HALVED
        return int(_OUTPUT_STRIDE_PX * 2**halved)
    # A Faster R-CNN without a pyramid adds up no maps, and one with it pads the image itself.
    pyramid = pyramid_of(model) if kind == "ssd" else ""
    highest = levels_of(model)[1] if pyramid else 0
    if pyramid == "bifpn":
        return int(2**highest)
    # MobileNets with this setting cut the upsampled map to the other's size.
    cut = model.feature_extractor.type.startswith("ssd_mobilenet") and model.feature_extractor.use_explicit_padding
    return int(2 ** min(highest, _HIGHEST_OF_BACKBONE)) if pyramid and not cut else 1


def _least_px(model: Any) -> int:
    return _LEAST_PX if model.feature_extractor.type.startswith("ssd_mobilenet") else _LEAST_OF_LARGE_PX
