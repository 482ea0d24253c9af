"""The `image_resizer` of a pipeline.config: sides that the layers of a family can have, what is not done to images."""

from pathlib import Path

import pytest
from google.protobuf import text_format
from object_detection.protos import image_resizer_pb2

from tasks.detector.model_messages import check_supported, detector_message
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.pipeline_config import PipelineConfig
from tasks.errors import ConfigError
from tasks.model.definitions import MODELS
from tests.detector.zoo_fpn import zoo_fpn_config

FPN = "ssd_mobilenet_v2_fpnlite_320x320"
PLAIN = "ssd_mobilenet_v2_320x320"
LARGE = "ssd_resnet50_v1_fpn_640x640"
EFFICIENT = "ssd_efficientdet_d0_512x512"
CENTER = "centernet_resnet50_v2_512x512"
TWO_STAGES = "faster_rcnn_resnet50_v1_640x640"


def with_resizer(config: PipelineConfig, text: str) -> PipelineConfig:
    detector_message(config).image_resizer.CopyFrom(text_format.Parse(text, image_resizer_pb2.ImageResizer()))
    return config


def fixed(height: int, width: int) -> str:
    return f"fixed_shape_resizer {{ height: {height} width: {width} }}"


@pytest.mark.parametrize(
    ("name", "height", "width", "complaint"),
    [
        (FPN, 320, 300, "its width is 300 px, no multiple of 32, .* write 288 or 320"),
        (FPN, 333, 320, "its height is 333 px"),
        (LARGE, 16, 640, "its height is 16 px, no multiple of 32, .* write 32"),
        (LARGE, 96, 640, "its height is 96 px; ssd_resnet50_v1_fpn_keras needs 129 or more"),
        (EFFICIENT, 512, 576, "its width is 576 px, no multiple of 128, .* write 512 or 640"),
        (CENTER, 300, 512, "its height is 300 px, no multiple of 32"),
        (PLAIN, 32, 300, "its height is 32 px; ssd_mobilenet_v2_keras needs 33 or more"),
        (FPN, 99968, 99968, "one image of 99968 x 99968 px takes 120 GB of memory; write smaller sides"),
        (TWO_STAGES, 2**31 - 1, 640, "GB of memory"),
    ],
)
def test_sides_that_the_layers_cannot_have_are_refused_with_the_nearest(
    name: str, height: int, width: int, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=rf"^mine\.config: image_resizer: .*{complaint}"):
        check_supported(with_resizer(pipeline_proto(MODELS[name]), fixed(height, width)), Path("mine.config"))


@pytest.mark.parametrize(
    ("name", "height", "width"),
    [(PLAIN, 300, 333), (TWO_STAGES, 600, 1000), (FPN, 352, 256), (EFFICIENT, 256, 384), (CENTER, 96, 512)],
)
def test_other_sides_than_the_models_own_are_accepted(name: str, height: int, width: int) -> None:
    check_supported(with_resizer(pipeline_proto(MODELS[name]), fixed(height, width)), Path("mine.config"))


def test_two_stages_with_an_fpn_pad_the_image_themselves() -> None:
    check_supported(with_resizer(zoo_fpn_config(), fixed(300, 500)), Path("mine.config"))


def test_the_multiple_that_an_ssd_pads_to_counts() -> None:
    config = with_resizer(pipeline_proto(MODELS[FPN]), fixed(300, 300))
    config.model.ssd.feature_extractor.pad_to_multiple = 32
    check_supported(config, Path("mine.config"))


@pytest.mark.parametrize(("hourglass", "step"), [("hourglass_10", 8), ("hourglass_32", 32), ("hourglass_104", 128)])
def test_an_hourglass_halves_its_map_by_its_depth(hourglass: str, step: int) -> None:
    config = with_resizer(pipeline_proto(MODELS[CENTER]), fixed(512 + step, 512))
    config.model.center_net.feature_extractor.type = hourglass
    check_supported(config, Path("mine.config"))
    with_resizer(config, fixed(512 + step // 2, 512))
    with pytest.raises(ConfigError, match=f"no multiple of {step}, .* write 512 or {512 + step}"):
        check_supported(config, Path("mine.config"))


@pytest.mark.parametrize(
    ("resizer", "complaint"),
    [
        ("identity_resizer { }", "neither a fixed_shape_resizer"),
        ("keep_aspect_ratio_resizer { min_dimension: 512 max_dimension: 512 }", "pad_to_max_dimension: true"),
        (
            "keep_aspect_ratio_resizer { min_dimension: 640 max_dimension: 320 pad_to_max_dimension: true }",
            "min_dimension is 640, above its max_dimension 320; write 320 or less",
        ),
        (
            "fixed_shape_resizer { height: 512 width: 512 convert_to_grayscale: true }",
            "fixed_shape_resizer.convert_to_grayscale: a detector takes three colours here; remove it",
        ),
        (
            "fixed_shape_resizer { height: 512 width: 512 resize_method: AREA }",
            "resize_method is AREA; images are scaled by BILINEAR here; write that",
        ),
    ],
)
@pytest.mark.parametrize("name", [FPN, EFFICIENT, CENTER, TWO_STAGES])
def test_what_would_not_be_done_to_images_is_refused(name: str, resizer: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=rf"^mine\.config: .*{complaint}"):
        check_supported(with_resizer(pipeline_proto(MODELS[name]), resizer), Path("mine.config"))
