"""What of a Faster R-CNN's pipeline.config is refused, filled in from params.yaml, and without effect."""

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from object_detection.protos import pipeline_pb2

from tasks.detector.model_messages import canvas_resizer, check_supported
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.overridden_settings import OVERRIDDEN_BY, overridden_settings, settings_without_effect
from tasks.detector.pipeline_config import PipelineConfig, fill_in
from tasks.errors import ConfigError
from tasks.model.definitions import MODELS
from tasks.model.faster_rcnn_models import FASTER_RCNN_MODELS
from tests.exporting.params import export_params
from tests.training.train_params import train_params

NAME = "faster_rcnn_resnet50_v1_640x640"
# The zoo's model of 800 x 1333 pixels, in what differs from that of 640 pixels.
LARGE = """
image_resizer {
  keep_aspect_ratio_resizer { min_dimension: 800 max_dimension: 1333 pad_to_max_dimension: true }
}
feature_extractor { type: "faster_rcnn_resnet50_keras" }
first_stage_anchor_generator { grid_anchor_generator { scales: [0.5, 1.0] aspect_ratios: 1.0 } }
initial_crop_size: 14
maxpool_kernel_size: 2
maxpool_stride: 2
second_stage_box_predictor { mask_rcnn_box_predictor { use_dropout: false } }
second_stage_post_processing { batch_non_max_suppression { max_total_detections: 100 } score_converter: SOFTMAX }
"""


def users_config(settings: str = "", base: str = LARGE) -> PipelineConfig:
    """A config with more `settings` in its model's message."""
    text = f"model {{ faster_rcnn {{ {base} {settings} }} }}"
    return text_format.Parse(text, pipeline_pb2.TrainEvalPipelineConfig())


def filled(config: PipelineConfig, **train: Any) -> Any:
    export = export_params(max_detections=50, nms_iou_threshold=0.4)
    fill_in(
        config,
        num_classes=3,
        train=train_params(**train),
        export=export,
        records=Path("data/records"),
        fine_tune_checkpoint=None,
    )
    return config.model.faster_rcnn


@pytest.mark.parametrize("model", FASTER_RCNN_MODELS, ids=lambda model: model.name)
def test_the_zoos_models_of_640_pixels_are_supported(model: Any) -> None:
    config = pipeline_proto(model)
    check_supported(config, Path("mine.config"))
    assert canvas_resizer(config).canvas == (640, 640)
    assert canvas_resizer(config).keeps_proportions
    assert model.zoo_archive == f"{model.name}_coco17_tpu-8"


def test_the_zoos_model_of_800_by_1333_pixels_is_supported() -> None:
    config = users_config()
    check_supported(config, Path("mine.config"))
    assert canvas_resizer(config).canvas == (1333, 1333)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("number_of_stages: 1", "number_of_stages is 1; a detector of boxes has 2"),
        ("number_of_stages: 3", "number_of_stages is 3"),
        ("second_stage_box_predictor { mask_rcnn_box_predictor { predict_instance_masks: true } }", "predicts masks"),
        ("second_stage_box_predictor { rfcn_box_predictor { } }", "is rfcn_box_predictor"),
        ("context_config { }", "Context R-CNN"),
        ("hard_example_miner { }", "hard_example_miner"),
        ("second_stage_box_predictor { mask_rcnn_box_predictor { use_dropout: true } }", "use_dropout"),
        ('feature_extractor { type: "faster_rcnn_resnet50" }', "of TensorFlow 1"),
        ('feature_extractor { type: "faster_rcnn_inception_resnet_v2_keras" }', "_inception_resnet_v2_keras'; supp"),
        ("image_resizer { keep_aspect_ratio_resizer { pad_to_max_dimension: false } }", "pad_to_max_dimension: true"),
        ("first_stage_max_proposals: 10", "first_stage_max_proposals is 10, and second_stage_batch_size 64; write as"),
        ("first_stage_nms_iou_threshold: 2", "first_stage_nms_iou_threshold is 2; write a number from 0 to 1"),
        ("initial_crop_size: 0", "initial_crop_size is 0 or missing; write 1 or more"),
        ("maxpool_stride: 0", "maxpool_stride is 0 or missing"),
        ("feature_extractor { first_stage_features_stride: 8 }", "first_stage_features_stride is 8; faster_rcnn_res"),
        ("second_stage_post_processing { score_converter: IDENTITY }", "score_converter is IDENTITY .* write SOFTMAX"),
        (
            "first_stage_anchor_generator { grid_anchor_generator { height_stride: 8 } }",
            "grid_anchor_generator.height_stride is 8, so that the anchors would not lie on .* write 16",
        ),
        (
            "first_stage_anchor_generator { grid_anchor_generator { width: 0 } }",
            "anchors without a size above 0; write",
        ),
        ("first_stage_anchor_generator { grid_anchor_generator { scales: -1 } }", "anchors without a size above 0"),
        ("first_stage_anchor_generator { grid_anchor_generator { aspect_ratios: 0 } }", "one that is not above 0"),
        ("first_stage_anchor_generator { ssd_anchor_generator { } }", "is ssd_anchor_generator; write a grid_anchor"),
        ("first_stage_anchor_generator { multiscale_anchor_generator { } }", "anchors of several levels"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_sentence(change: str, complaint: str) -> None:
    config = users_config()
    config.MergeFrom(users_config(change, base=""))
    with pytest.raises(ConfigError, match=rf"^mine\.config: .*{complaint}") as caught:
        check_supported(config, Path("mine.config"))
    assert "\n" not in str(caught.value)


def test_params_set_detections_and_the_weights_of_both_box_losses() -> None:
    model = filled(pipeline_proto(MODELS[NAME]), localization_weight=1.5)
    suppression = model.second_stage_post_processing.batch_non_max_suppression
    assert model.num_classes == 3
    assert (suppression.max_detections_per_class, suppression.max_total_detections) == (50, 50)
    assert suppression.iou_threshold == pytest.approx(0.4)
    assert model.first_stage_localization_loss_weight == model.second_stage_localization_loss_weight == 1.5
    assert model.first_stage_nms_iou_threshold == pytest.approx(0.7)


def test_without_a_param_the_box_losses_keep_the_models_weights() -> None:
    model = filled(pipeline_proto(MODELS[NAME]))
    assert (model.first_stage_localization_loss_weight, model.second_stage_localization_loss_weight) == (2.0, 2.0)


@pytest.mark.parametrize("param", ["focal_alpha", "focal_gamma"])
def test_params_of_a_focal_loss_are_refused(param: str) -> None:
    with pytest.raises(ConfigError, match=rf"train\.{param}: .*softmax.*; set it to null"):
        filled(pipeline_proto(MODELS[NAME]), **{param: 0.5})


def test_settings_that_params_replace_are_known_by_words_of_their_own() -> None:
    config = users_config("num_classes: 7 first_stage_localization_loss_weight: 2")
    settings = overridden_settings(config)
    assert settings == {"num_classes": "7", "localization_weight": "2 (first stage)"}
    assert settings.keys() <= OVERRIDDEN_BY.keys()


def test_the_decay_of_statistics_that_do_not_follow_has_no_effect() -> None:
    ((param, why),) = settings_without_effect(users_config()).items()
    assert param == "train.batchnorm_decay"
    assert "no feature_extractor.batch_norm_trainable" in why
    assert settings_without_effect(pipeline_proto(MODELS[NAME])) == {}
