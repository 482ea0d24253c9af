"""A Faster R-CNN's pipeline.config with an FPN: the zoo's own is accepted, levels that cannot be built are refused."""

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from object_detection.protos import pipeline_pb2

from tasks.detector.model_messages import canvas_resizer, check_supported
from tasks.detector.model_settings.faster_rcnn_fpn import has_fpn
from tasks.detector.overridden_settings import settings_without_effect
from tasks.detector.pipeline_config import PipelineConfig
from tasks.errors import ConfigError
from tasks.model.definition import BLOCKS
from tasks.model.definitions import backbone_of
from tasks.model.faster_rcnn_models import FPN_BACKBONES
from tests.detector.zoo_fpn import zoo_fpn_config

PLAIN = 'feature_extractor { type: "faster_rcnn_resnet50_keras" }'


def changed(text: str) -> PipelineConfig:
    """The zoo's config with other settings in its model's message."""
    config = zoo_fpn_config()
    config.MergeFrom(text_format.Parse(f"model {{ faster_rcnn {{ {text} }} }}", pipeline_pb2.TrainEvalPipelineConfig()))
    return config


@pytest.mark.parametrize(("extractor", "backbone"), FPN_BACKBONES.items())
def test_the_zoos_config_with_an_fpn_is_accepted_with_each_resnet(extractor: str, backbone: Any) -> None:
    config = changed(f'feature_extractor {{ type: "{extractor}" }}')
    check_supported(config, Path("mine.config"))
    assert canvas_resizer(config).canvas == (640, 640)
    assert has_fpn(config.model.faster_rcnn)
    assert backbone_of(extractor) == backbone
    assert BLOCKS[backbone] == 5
    assert settings_without_effect(config) == {}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            "feature_extractor { fpn { min_level: 6 } }",
            r"fpn\.min_level is 6; a ResNet's stages make the levels 2 to 5",
        ),
        ("feature_extractor { fpn { min_level: 1 } }", r"fpn\.min_level is 1;"),
        (
            "feature_extractor { fpn { min_level: 5 max_level: 3 } }",
            r"fpn\.max_level is 3, not above its min_level 5; write 6",
        ),
        (
            "feature_extractor { fpn { min_level: 3 max_level: 3 } }",
            r"fpn\.max_level is 3, not above its min_level 3; write 4",
        ),
        (
            "feature_extractor { fpn { max_level: 7 } }",
            "has the levels 2 to 6, and feature_extractor.fpn 2 to 7; write",
        ),
        (
            "first_stage_anchor_generator { multiscale_anchor_generator { normalize_coordinates: true } }",
            "normalize_coordinates: two stages need pixels; write false",
        ),
        ("first_stage_anchor_generator { grid_anchor_generator { } }", "is grid_anchor_generator; an FPN needs"),
        (
            PLAIN,
            r"feature_extractor\.fpn is for the types that end with _fpn_keras, and faster_rcnn_resnet50_keras has",
        ),
    ],
)
def test_levels_that_cannot_be_built_are_refused_in_one_sentence(change: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=rf"^mine\.config: .*{complaint}") as caught:
        check_supported(changed(change), Path("mine.config"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "complaint"),
    [
        ("conv_hyperparams", "feature_extractor.conv_hyperparams is missing"),
        # The OD API's own levels of a message without them are those of the zoo's.
        ("fpn", None),
    ],
)
def test_an_extractor_without_a_message_is_accepted_where_the_od_api_has_a_default(
    field: str, complaint: str | None
) -> None:
    config = zoo_fpn_config()
    config.model.faster_rcnn.feature_extractor.ClearField(field)
    if complaint is None:
        check_supported(config, Path("mine.config"))
        return
    with pytest.raises(ConfigError, match=complaint):
        check_supported(config, Path("mine.config"))


def test_anchors_of_several_levels_are_refused_without_an_fpn() -> None:
    config = changed(PLAIN)
    for field in ("fpn", "conv_hyperparams"):
        config.model.faster_rcnn.feature_extractor.ClearField(field)
    with pytest.raises(ConfigError, match="anchors of several levels, and faster_rcnn_resnet50_keras gives one"):
        check_supported(config, Path("mine.config"))
    anchors = config.model.faster_rcnn.first_stage_anchor_generator.multiscale_anchor_generator
    anchors.max_level = 2
    with pytest.raises(ConfigError, match="anchors of the level 2, and faster_rcnn_resnet50_keras gives the level 4"):
        check_supported(config, Path("mine.config"))
    anchors.min_level = anchors.max_level = 4
    check_supported(config, Path("mine.config"))
