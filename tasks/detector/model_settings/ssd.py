"""The `ssd { ... }` message of a pipeline.config: what of it is refused, filled in, and without effect."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from object_detection.protos import losses_pb2, post_processing_pb2, ssd_pb2

from tasks.detector.model_settings.ssd_layers import reasons_of_layers
from tasks.errors import ConfigError

if TYPE_CHECKING:
    from tasks.params import ExportParams, TrainParams

_PREDICTORS = ("weight_shared_convolutional_box_predictor", "convolutional_box_predictor")
# What the OD API cannot build a model without, by its message: the field of the choice, and what to write there.
_NEEDED = {
    "similarity_calculator": ("region_similarity", "iou_similarity { }"),
    "matcher": ("matcher_oneof", "an argmax_matcher"),
}
_BOX_CODE_SIZE = 4
# The losses of boxes that an SSD of the OD API can use: it hands them encoded boxes, whose overlaps mean nothing
# (weighted_iou, weighted_giou), and a weight for each box, not for each number (l1_localization_loss).
_LOCALIZATION_LOSSES = ("weighted_smooth_l1", "weighted_l2")
_LOSSES = {"classification_loss": "weighted_sigmoid_focal { }", "localization_loss": "weighted_smooth_l1 { }"}


def why_unsupported(model: ssd_pb2.Ssd) -> str | None:
    """The first reason why this pipeline cannot train the model; None where it can."""
    return next(_reasons(model), None)


def fill_in_model(model: ssd_pb2.Ssd, train: "TrainParams", export: "ExportParams") -> None:
    """Put the values of params.yaml that are about losses and detections into the message.

    Raises:
        ConfigError: the params are of a focal loss, and the model has another.
    """
    _fill_loss(model.loss, train)
    suppression = model.post_processing.batch_non_max_suppression
    suppression.max_detections_per_class = suppression.max_total_detections = export.max_detections
    suppression.iou_threshold = export.nms_iou_threshold


def loss_settings(model: ssd_pb2.Ssd) -> dict[str, str]:
    """The settings of the losses that params.yaml replaces where it has them, in words."""
    loss = model.loss
    focal = loss.classification_loss.weighted_sigmoid_focal
    messages = {"localization_weight": (loss, "localization_weight")} | {
        f"focal {name}": (focal, name) for name in ("alpha", "gamma")
    }
    return {key: f"{getattr(own, name):g}" for key, (own, name) in messages.items() if own.HasField(name)}


def settings_without_effect(model: ssd_pb2.Ssd) -> dict[str, str]:
    """None: an SSD makes something of every param."""
    return {}


def _fill_loss(loss: losses_pb2.Loss, train: "TrainParams") -> None:
    if train.localization_weight is not None:
        loss.localization_weight = train.localization_weight
    focal = {"alpha": train.focal_alpha, "gamma": train.focal_gamma}
    for name, value in focal.items():
        if value is None:
            continue
        kind = loss.classification_loss.WhichOneof("classification_loss")
        if kind != "weighted_sigmoid_focal":
            raise ConfigError(
                f"train.focal_{name}: the model's classification_loss is {kind or 'missing'}, not a focal loss; set it "
                "to null"
            )
        setattr(loss.classification_loss.weighted_sigmoid_focal, name, value)


def _reasons(model: ssd_pb2.Ssd) -> Iterator[str]:
    yield from reasons_of_layers(model)
    yield from _reasons_of_matching(model)
    yield from _reasons_of_predictor(model)
    yield from _reasons_of_losses(model.loss)
    # A predictor can convert the scores itself.
    own = model.box_predictor.weight_shared_convolutional_box_predictor.score_converter
    if own == model.post_processing.score_converter == post_processing_pb2.PostProcessing.IDENTITY:
        yield (
            "post_processing.score_converter is IDENTITY or missing, which gives scores outside 0..1; write SIGMOID, "
            "or SOFTMAX with a softmax loss"
        )


def _reasons_of_matching(model: ssd_pb2.Ssd) -> Iterator[str]:
    for name, (choice, remedy) in _NEEDED.items():
        if getattr(model, name).WhichOneof(choice) is None:
            yield f"{name} is missing; write {remedy}"
    if model.matcher.HasField("bipartite_matcher"):
        yield "matcher.bipartite_matcher is of TensorFlow 1; write an argmax_matcher"
    matcher = model.matcher.argmax_matcher
    if not matcher.ignore_thresholds and matcher.unmatched_threshold > matcher.matched_threshold:
        yield (
            f"argmax_matcher.unmatched_threshold is {matcher.unmatched_threshold:g}, above its matched_threshold "
            f"{matcher.matched_threshold:g}; write {matcher.matched_threshold:g} or less"
        )
    coder = model.box_coder.WhichOneof("box_coder_oneof")
    if coder != "faster_rcnn_box_coder":
        yield (
            f"box_coder is {coder or 'missing'}; supported is faster_rcnn_box_coder, by which TFLite files decode boxes"
        )


def _reasons_of_predictor(model: ssd_pb2.Ssd) -> Iterator[str]:
    kind = model.box_predictor.WhichOneof("box_predictor_oneof")
    if kind not in _PREDICTORS:
        yield f"box_predictor is {kind or 'missing'}; supported are {' and '.join(_PREDICTORS)}"
        return
    predictor: Any = getattr(model.box_predictor, kind)
    if predictor.use_dropout:
        yield f"{kind}.use_dropout draws at random, so that no run could be resumed; write false"
    if predictor.box_code_size != _BOX_CODE_SIZE:
        yield f"{kind}.box_code_size is {predictor.box_code_size}; a box has {_BOX_CODE_SIZE} numbers"


def _reasons_of_losses(loss: losses_pb2.Loss) -> Iterator[str]:
    for name, remedy in _LOSSES.items():
        if getattr(loss, name).WhichOneof(name) is None:
            yield f"loss.{name} is missing; write one, such as {remedy}"
    kind = loss.localization_loss.WhichOneof("localization_loss")
    if kind is not None and kind not in _LOCALIZATION_LOSSES:
        yield (
            f"loss.localization_loss is {kind}, which does not fit the encoded boxes of an SSD; supported are "
            f"{' and '.join(_LOCALIZATION_LOSSES)}"
        )
    if loss.HasField("hard_example_miner") and loss.classification_loss.HasField("weighted_sigmoid_focal"):
        yield "loss.hard_example_miner and weighted_sigmoid_focal do the same in two ways; remove the former"
    sampler = loss.random_example_sampler
    if loss.HasField("random_example_sampler") and sampler.positive_sample_fraction <= 0:
        yield (
            f"loss.random_example_sampler.positive_sample_fraction is {sampler.positive_sample_fraction:g}; write a "
            "number above 0"
        )
