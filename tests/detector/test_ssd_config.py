"""What of an SSD's pipeline.config is refused: layers and losses that cannot be built, anchors beside its maps."""

from pathlib import Path

import pytest
from google.protobuf import text_format
from object_detection.protos import pipeline_pb2

from tasks.detector.model_messages import check_supported
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.pipeline_config import PipelineConfig
from tasks.errors import ConfigError
from tasks.model.definitions import MODELS
from tasks.model.ssd_models import SSD_MODELS

FPN = "ssd_mobilenet_v2_fpnlite_320x320"
PLAIN = "ssd_mobilenet_v2_320x320"
LARGE = "ssd_resnet50_v1_fpn_640x640"
EFFICIENT = "ssd_efficientdet_d0_512x512"


def changed(name: str, text: str, *without: str) -> PipelineConfig:
    """The config of a model, `without` some fields of its message, and with other settings in it."""
    config = pipeline_proto(MODELS[name])
    for path in without:
        *above, field = path.split(".")
        message = config.model.ssd
        for each in above:
            message = getattr(message, each)
        message.ClearField(field)
    config.MergeFrom(text_format.Parse(f"model {{ ssd {{ {text} }} }}", pipeline_pb2.TrainEvalPipelineConfig()))
    return config


@pytest.mark.parametrize("model", SSD_MODELS, ids=lambda model: model.name)
def test_the_models_that_params_can_name_are_supported(model) -> None:
    check_supported(pipeline_proto(model), Path("mine.config"))


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        (FPN, 'feature_extractor { type: "mine_keras" }', "'mine_keras'; supported are ssd_mobilenet_v1_keras"),
        (FPN, 'feature_extractor { type: "faster_rcnn_resnet50_keras" }', "'faster_rcnn_resnet50_keras'; supported"),
        (FPN, 'feature_extractor { type: "ssd_mobilenet_v2_keras" }', r"extractor\.fpn: ssd_mobilenet_v2_keras has no"),
        (EFFICIENT, 'feature_extractor { type: "ssd_resnet50_v1_fpn_keras" }', r"\.bifpn: ssd_resnet50_v1_fpn_keras"),
        (EFFICIENT, "feature_extractor { depth_multiplier: 0.5 }", "depth_multiplier is 0.5; .* needs 1"),
        (EFFICIENT, "feature_extractor { use_depthwise: true }", "use_depthwise is not possible with ssd_efficientnet"),
        (FPN, "feature_extractor { depth_multiplier: 0 }", "depth_multiplier is 0; write a number above 0"),
        (FPN, "feature_extractor { fpn { min_level: 6 } }", "min_level is 6; the backbone makes the levels 2 to 5"),
        (FPN, "feature_extractor { fpn { max_level: 2 } }", "max_level is 2, below its min_level 3"),
        (PLAIN, "feature_extractor { num_layers: 9 }", "num_layers is 9; write 1 to 6"),
        (FPN, "feature_extractor { fpn { max_level: 6 } }", "levels 3 to 7, and the feature maps .* are 3 to 6; write"),
        (PLAIN, "anchor_generator { ssd_anchor_generator { num_layers: 5 } }", "for 5 feature maps, and .* gives 6"),
        (PLAIN, "anchor_generator { ssd_anchor_generator { scales: 0.1 } }", "has 1 scales for num_layers 6"),
        (
            PLAIN,
            "anchor_generator { ssd_anchor_generator { height_stride: 16 } }",
            "height_stride has 1 values for num",
        ),
        (PLAIN, "anchor_generator { ssd_anchor_generator { min_scale: -1 } }", "anchors without a size above 0; write"),
        (FPN, "anchor_generator { grid_anchor_generator { } }", "anchor_generator is grid_anchor_generator; an SSD"),
        (
            FPN,
            "anchor_generator { multiscale_anchor_generator { normalize_coordinates: false } }",
            "normalize_coordinates: an SSD needs fractions of the input; write true",
        ),
        (FPN, "anchor_generator { multiscale_anchor_generator { aspect_ratios: -1 } }", "one that is not above 0"),
        (FPN, "anchor_generator { multiscale_anchor_generator { anchor_scale: inf } }", "without a size above 0"),
        (FPN, "anchor_generator { multiscale_anchor_generator { scales_per_octave: 0 } }", "scales_per_octave 0"),
        (
            FPN,
            "anchor_generator { ssd_anchor_generator { num_layers: 5 aspect_ratios: 1.0 } }",
            "reduce_boxes_in_lowest_layer gives the first feature map other anchors",
        ),
        (FPN, "matcher { bipartite_matcher { } }", "bipartite_matcher is of TensorFlow 1"),
        (FPN, "matcher { argmax_matcher { matched_threshold: 0.2 } }", "threshold is 0.5, above its .* 0.2; write 0.2"),
        (FPN, "box_coder { keypoint_box_coder { num_keypoints: 3 } }", "box_coder is keypoint_box_coder; supported is"),
        (FPN, "box_predictor { mask_rcnn_box_predictor { } }", "is mask_rcnn_box_predictor; supported are weight_sh"),
        (FPN, "box_predictor { weight_shared_convolutional_box_predictor { use_dropout: true } }", "draws at random"),
        # The OD API's default.
        (PLAIN, "box_predictor { convolutional_box_predictor { use_dropout: true } }", "draws at random"),
        (FPN, "box_predictor { weight_shared_convolutional_box_predictor { box_code_size: 5 } }", "box_code_size is 5"),
        (
            FPN,
            "loss { localization_loss { weighted_iou { } } }",
            "is weighted_iou, which does not fit the encoded boxes",
        ),
        (
            FPN,
            "loss { localization_loss { weighted_giou { } } }",
            "weighted_giou, .* supported are weighted_smooth_l1 and",
        ),
        (FPN, "loss { localization_loss { l1_localization_loss { } } }", "is l1_localization_loss, which does not fit"),
        (FPN, "loss { hard_example_miner { } }", "hard_example_miner and weighted_sigmoid_focal"),
        (FPN, "loss { random_example_sampler { positive_sample_fraction: 0 } }", "fraction is 0; write a number above"),
        (FPN, "post_processing { score_converter: IDENTITY }", r"gives scores outside 0\.\.1; write SIGMOID"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_sentence(name: str, change: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=rf"^mine\.config: .*{complaint}") as caught:
        check_supported(changed(name, change), Path("mine.config"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "field", "complaint"),
    [
        (EFFICIENT, "feature_extractor.bifpn", r"feature_extractor\.bifpn is missing, which ssd_efficientnet-b0"),
        (FPN, "anchor_generator", "anchor_generator is missing; an SSD needs"),
        (FPN, "anchor_generator.multiscale_anchor_generator.aspect_ratios", "has no aspect_ratios"),
        (FPN, "matcher", "matcher is missing; write an argmax_matcher"),
        (FPN, "similarity_calculator", "similarity_calculator is missing; write iou_similarity"),
        (FPN, "box_coder", "box_coder is missing; supported is faster_rcnn_box_coder"),
        (FPN, "box_predictor", "box_predictor is missing; supported are"),
        (FPN, "loss.classification_loss", r"loss\.classification_loss is missing; write one, such as weighted_sigmoid"),
        (FPN, "loss.localization_loss", r"loss\.localization_loss is missing; write one, such as weighted_smooth_l1"),
        (FPN, "post_processing", "score_converter is IDENTITY or missing"),
        (FPN, "image_resizer", "neither a fixed_shape_resizer"),
    ],
)
def test_a_missing_message_is_refused_by_its_name(name: str, field: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=rf"^mine\.config: .*{complaint}"):
        check_supported(changed(name, "", field), Path("mine.config"))


def test_a_squared_loss_of_boxes_is_supported() -> None:
    check_supported(changed(FPN, "loss { localization_loss { weighted_l2 { } } }"), Path("mine.config"))


def test_an_fpn_without_its_message_has_the_levels_of_the_od_api() -> None:
    check_supported(changed(LARGE, "", "feature_extractor.fpn"), Path("mine.config"))


def test_a_predictor_may_convert_the_scores_itself() -> None:
    own = "box_predictor { weight_shared_convolutional_box_predictor { score_converter: SIGMOID } }"
    check_supported(changed(FPN, own, "post_processing"), Path("mine.config"))
