"""The params of the stage export, for tests."""

from typing import Any

from tasks.params import ExportParams

_DEFAULTS: dict[str, Any] = {
    "variants": ["float32"],
    "calibration_images": 8,
    "max_mAP_loss": 0.02,
    "on_loss": "stop",
    "serving": "off",
    "max_detections": 100,
    "nms_iou_threshold": 0.6,
    "score_threshold": None,
}


def export_params(**changes: Any) -> ExportParams:
    """Small ones, with `changes`."""
    return ExportParams.model_validate({**_DEFAULTS, **changes})
