"""The classes that the zoo's detectors were trained for: COCO's, whose ids have gaps.

Source: object_detection/data/mscoco_label_map.pbtxt of github.com/tensorflow/models, and COCO's own annotations.
"""

_HIGHEST_ID = 90
# Ids that COCO never gave a box: the zoo's class heads have rows for them.
_UNUSED = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
_NAMES = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis",
    "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
    "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich",
    "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed",
    "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven",
    "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip


def coco_classes() -> tuple[str, ...]:
    """The names for the ids 1 to 90; `unused COCO id 12` and such where there is none."""
    names = iter(_NAMES)
    ids = range(1, _HIGHEST_ID + 1)
    return tuple(f"unused COCO id {number}" if number in _UNUSED else next(names) for number in ids)
