"""The pipeline.config of CenterNets: made from a definition, filled in from params.yaml, refused."""

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from object_detection.protos import pipeline_pb2

from tasks.detector.model_messages import check_supported, detector_message
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.overridden_settings import OVERRIDDEN_BY, overridden_settings, settings_without_effect
from tasks.detector.pipeline_config import PipelineConfig, fill_in
from tasks.errors import ConfigError
from tasks.model.center_net_models import CENTER_NET_MODELS
from tasks.model.definitions import MODELS, resized
from tasks.params import read_params

MOBILE = "centernet_mobilenet_v2_fpn_512x512"
SHIPPED = read_params(Path(__file__).parents[2] / "params.yaml")

# What the zoo's configs of boxes have in common (research/object_detection/configs/tf2/centernet_*).
ZOO = """
model { center_net {
  num_classes: 90
  feature_extractor { type: "resnet_v2_50" }
  image_resizer { keep_aspect_ratio_resizer { min_dimension: 512 max_dimension: 512 pad_to_max_dimension: true } }
  object_detection_task {
    task_loss_weight: 1.0 offset_loss_weight: 1.0 scale_loss_weight: 0.1
    localization_loss { l1_localization_loss { } }
  }
  object_center_params {
    object_center_loss_weight: 1.0 min_box_overlap_iou: 0.7 max_box_predictions: 100
    classification_loss { penalty_reduced_logistic_focal_loss { alpha: 2.0 beta: 4.0 } }
  }
} }
"""


def parsed(text: str) -> PipelineConfig:
    return text_format.Parse(text, pipeline_pb2.TrainEvalPipelineConfig())


def filled(config: PipelineConfig, max_detections: int = 100, **train: Any) -> PipelineConfig:
    fill_in(
        config,
        num_classes=3,
        train=SHIPPED.train.model_copy(update=train),
        export=SHIPPED.export.model_copy(update={"max_detections": max_detections}),
        records=Path("data/records"),
        fine_tune_checkpoint=None,
    )
    return config


def test_a_definition_means_what_the_zoos_config_says() -> None:
    ours = pipeline_proto(MODELS["centernet_resnet50_v2_512x512"]).model
    ours.center_net.num_classes = 90
    assert ours == parsed(ZOO).model


@pytest.mark.parametrize("model", CENTER_NET_MODELS, ids=lambda model: model.name)
def test_every_definition_is_supported_and_has_its_size(model: Any) -> None:
    config = pipeline_proto(resized(model, 256))
    check_supported(config, Path("mine.config"))
    assert detector_message(config).image_resizer.keep_aspect_ratio_resizer.max_dimension == 256


def test_only_the_one_for_phones_has_separable_convolutions_and_another_release() -> None:
    separable = {
        model.name: detector_message(pipeline_proto(model)).feature_extractor.use_separable_conv
        for model in CENTER_NET_MODELS
    }
    assert [name for name, is_set in separable.items() if is_set] == [MOBILE]
    assert {model.zoo_archive: model.zoo_release for model in CENTER_NET_MODELS} == {
        "centernet_resnet50_v1_fpn_512x512_coco17_tpu-8": "20200711",
        "centernet_resnet50_v2_512x512_coco17_tpu-8": "20200711",
        "centernet_mobilenetv2fpn_512x512_coco17_od": "20210210",
    }


def test_params_are_filled_in_where_a_center_net_has_a_meaning_for_them() -> None:
    message = filled(pipeline_proto(MODELS[MOBILE]), max_detections=20, localization_weight=2.5).model.center_net
    assert message.num_classes == 3
    assert message.object_center_params.max_box_predictions == 20
    assert message.object_detection_task.task_loss_weight == 2.5
    assert message.object_detection_task.scale_loss_weight == pytest.approx(0.1)
    assert not message.HasField("post_processing")


def test_a_config_of_ones_own_gets_the_separable_convolutions_that_its_extractors_name_promises() -> None:
    config = parsed(ZOO.replace("resnet_v2_50", "mobilenet_v2_fpn_sep_conv"))
    assert filled(config).model.center_net.feature_extractor.use_separable_conv


@pytest.mark.parametrize("name", ["alpha", "gamma"])
def test_params_of_ssds_focal_loss_are_refused(name: str) -> None:
    changes: dict[str, Any] = {f"focal_{name}": 0.5}
    with pytest.raises(ConfigError, match=f"train.focal_{name}: .*set it to null"):
        filled(pipeline_proto(MODELS[MOBILE]), **changes)


def test_what_params_replace_in_a_config_of_ones_own_is_known() -> None:
    settings = overridden_settings(parsed(ZOO))
    assert settings == {"num_classes": "90", "localization_weight": "1"}
    assert set(settings) <= set(OVERRIDDEN_BY)


@pytest.mark.parametrize(
    ("extra", "complaint"),
    [
        ("keypoint_estimation_task { task_name: 'pose' }", "keypoint_estimation_task: keypoints .*; remove it"),
        ("mask_estimation_task { }", "mask_estimation_task: masks .*; remove it"),
        ("densepose_estimation_task { class_id: 1 }", "densepose_estimation_task: DensePose .*; remove it"),
        ("track_estimation_task { }", "track_estimation_task: tracks .*; remove it"),
        ("temporal_offset_task { }", "temporal_offset_task: offsets .*; remove it"),
        ("deepmac_mask_estimation { }", "deepmac_mask_estimation: masks of DeepMAC .*; remove it"),
        ("post_processing { }", "post_processing: .*; remove it"),
        (
            "object_center_params { keypoint_weights_for_center: 1.0 }",
            r"object_center_params\.keypoint_weights_for_center: .*; remove it",
        ),
    ],
    ids=["keypoints", "masks", "densepose", "tracks", "frames", "deepmac", "nms", "centres of keypoints"],
)
def test_what_else_a_center_net_may_do_is_refused_by_its_field(extra: str, complaint: str) -> None:
    config = parsed(ZOO)
    text_format.Merge(f"model {{ center_net {{ {extra} }} }}", config)
    with pytest.raises(ConfigError, match=f"^mine.config: center_net.{complaint}"):
        check_supported(config, Path("mine.config"))


@pytest.mark.parametrize("kind", ["weighted_l2", "weighted_smooth_l1", "weighted_iou", "weighted_giou"])
def test_a_loss_of_sizes_and_offsets_other_than_the_zoos_is_refused(kind: str) -> None:
    config = parsed(ZOO.replace("l1_localization_loss", kind))
    with pytest.raises(ConfigError, match=f"localization_loss is {kind}, .* write l1_localization_loss {{ }}$"):
        check_supported(config, Path("mine.config"))


def test_a_center_net_without_boxes_or_with_an_unknown_backbone_is_refused() -> None:
    config = parsed(ZOO)
    config.model.center_net.ClearField("object_detection_task")
    with pytest.raises(ConfigError, match="no object_detection_task"):
        check_supported(config, Path("mine.config"))
    with pytest.raises(ConfigError, match=r"type is 'resnet_v3_50'; supported are resnet_v2_50 .* hourglass_10"):
        check_supported(parsed(ZOO.replace("resnet_v2_50", "resnet_v3_50")), Path("mine.config"))
    check_supported(parsed(ZOO.replace("resnet_v2_50", "hourglass_104")), Path("mine.config"))


def test_the_threshold_of_overlaps_has_no_effect() -> None:
    ((param, why),) = settings_without_effect(parsed(ZOO)).items()
    assert param == "export.nms_iou_threshold"
    assert "leaves no box out" in why


@pytest.mark.parametrize(
    "name", ["object_center_params.classification_loss", "object_detection_task.localization_loss"]
)
def test_a_missing_loss_is_refused_by_its_name(name: str) -> None:
    config = pipeline_proto(MODELS[MOBILE])
    message, _, field = name.partition(".")
    getattr(config.model.center_net, message).ClearField(field)
    with pytest.raises(ConfigError, match=rf"^mine\.config: center_net\.{name} is missing; write "):
        check_supported(config, Path("mine.config"))
