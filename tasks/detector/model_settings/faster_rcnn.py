"""The `faster_rcnn { ... }` message of a pipeline.config: what of it is refused, filled in, and without effect.

It imports protobuf, not TensorFlow.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from object_detection.protos import box_predictor_pb2, faster_rcnn_pb2, post_processing_pb2

from tasks.detector.model_settings.faster_rcnn_fpn import reasons_of_levels
from tasks.errors import ConfigError
from tasks.model.faster_rcnn_models import FASTER_RCNN_MODELS, FPN_BACKBONES

if TYPE_CHECKING:
    from tasks.params import ExportParams, TrainParams

_STAGES = 2
_EXTRACTORS = [*(model.feature_extractor for model in FASTER_RCNN_MODELS), *FPN_BACKBONES]


def why_unsupported(model: faster_rcnn_pb2.FasterRcnn) -> str | None:
    """The first reason why this pipeline cannot train the model; None where it can."""
    return next(_reasons(model), None)


def fill_in_model(model: faster_rcnn_pb2.FasterRcnn, train: "TrainParams", export: "ExportParams") -> None:
    """Put the values of params.yaml that are about losses and detections into the message.

    Raises:
        ConfigError: the params are of a focal loss.
    """
    if train.localization_weight is not None:
        model.first_stage_localization_loss_weight = train.localization_weight
        model.second_stage_localization_loss_weight = train.localization_weight
    for name, value in {"alpha": train.focal_alpha, "gamma": train.focal_gamma}.items():
        if value is not None:
            raise ConfigError(
                f"train.focal_{name}: Faster R-CNN learns classes with a softmax, not a focal loss; set it to null"
            )
    suppression = model.second_stage_post_processing.batch_non_max_suppression
    suppression.max_detections_per_class = suppression.max_total_detections = export.max_detections
    suppression.iou_threshold = export.nms_iou_threshold


def loss_settings(model: faster_rcnn_pb2.FasterRcnn) -> dict[str, str]:
    """The settings of the losses that params.yaml replaces where it has them, in words."""
    weights = {
        stage: getattr(model, f"{stage}_stage_localization_loss_weight")
        for stage in ("first", "second")
        if model.HasField(f"{stage}_stage_localization_loss_weight")
    }
    if not weights:
        return {}
    return {"localization_weight": ", ".join(f"{value:g} ({stage} stage)" for stage, value in weights.items())}


def settings_without_effect(model: faster_rcnn_pb2.FasterRcnn) -> dict[str, str]:
    """The params that this model makes nothing of, and why."""
    if model.feature_extractor.batch_norm_trainable:
        return {}
    return {
        "train.batchnorm_decay": "has no effect: the model has no feature_extractor.batch_norm_trainable, so that its "
        "BatchNorm layers keep the statistics that they start with"
    }


def _reasons(model: faster_rcnn_pb2.FasterRcnn) -> Iterator[str]:
    extractor = model.feature_extractor.type
    if extractor not in _EXTRACTORS:
        old = "" if extractor.endswith("_keras") else ", which is of TensorFlow 1"
        yield f"feature_extractor.type is {extractor!r}{old}; supported are {', '.join(_EXTRACTORS)}"
    yield from reasons_of_levels(model)
    if model.number_of_stages != _STAGES:
        yield f"number_of_stages is {model.number_of_stages}; a detector of boxes has {_STAGES}"
    if model.HasField("context_config"):
        yield "context_config makes a Context R-CNN of it, which needs the features of other photos; remove it"
    if model.HasField("hard_example_miner"):
        yield "hard_example_miner learns from the first image of a batch alone in the OD API; remove it"
    yield from _reasons_of_proposals(model)
    yield from _reasons_of_second_stage(model.second_stage_box_predictor)
    if model.second_stage_post_processing.score_converter == post_processing_pb2.PostProcessing.IDENTITY:
        yield (
            "second_stage_post_processing.score_converter is IDENTITY or missing, which gives scores outside 0..1; "
            "write SOFTMAX"
        )


def _reasons_of_proposals(model: faster_rcnn_pb2.FasterRcnn) -> Iterator[str]:
    if model.second_stage_batch_size > model.first_stage_max_proposals:
        yield (
            f"first_stage_max_proposals is {model.first_stage_max_proposals}, and second_stage_batch_size "
            f"{model.second_stage_batch_size}; write as many proposals or more"
        )
    if not 0 <= model.first_stage_nms_iou_threshold <= 1:
        yield f"first_stage_nms_iou_threshold is {model.first_stage_nms_iou_threshold:g}; write a number from 0 to 1"
    for name in ("initial_crop_size", "maxpool_kernel_size", "maxpool_stride"):
        if getattr(model, name) < 1:
            yield f"{name} is {getattr(model, name)} or missing; write 1 or more (the zoo's have 14, 2 and 2)"


def _reasons_of_second_stage(predictor: box_predictor_pb2.BoxPredictor) -> Iterator[str]:
    kind = predictor.WhichOneof("box_predictor_oneof")
    if kind != "mask_rcnn_box_predictor":
        yield f"second_stage_box_predictor is {kind or 'missing'}; supported is mask_rcnn_box_predictor"
    second = predictor.mask_rcnn_box_predictor
    if second.predict_instance_masks or second.predict_keypoints:
        yield "its second stage predicts masks or keypoints, and the data have boxes alone; remove that"
    if second.use_dropout:
        yield "mask_rcnn_box_predictor.use_dropout draws at random, so that no run could be resumed; write false"
