"""`model.side_px`: the size of the input of the models that params.yaml can name."""

from dataclasses import replace

import pytest

from tasks.detector.model_messages import canvas_resizer
from tasks.detector.model_proto import pipeline_proto
from tasks.errors import ConfigError
from tasks.model.definition import ModelDefinition
from tasks.model.definitions import MODELS, find_model, input_resizer


@pytest.mark.parametrize(
    ("name", "side_px", "archive"),
    [
        ("ssd_mobilenet_v2_fpnlite_320x320", 512, "ssd_mobilenet_v2_fpnlite_640x640"),
        ("ssd_mobilenet_v2_fpnlite_640x640", 416, "ssd_mobilenet_v2_fpnlite_320x320"),
        ("ssd_mobilenet_v2_fpnlite_320x320", 480, "ssd_mobilenet_v2_fpnlite_320x320"),
        ("ssd_mobilenet_v2_fpnlite_640x640", 480, "ssd_mobilenet_v2_fpnlite_640x640"),
        ("ssd_mobilenet_v2_320x320", 640, "ssd_mobilenet_v2_320x320"),
        ("ssd_mobilenet_v1_fpn_320x320", 352, "ssd_mobilenet_v1_fpn_640x640"),
        ("ssd_resnet50_v1_fpn_640x640", 1024, "ssd_resnet50_v1_fpn_640x640"),
        ("ssd_resnet152_v1_fpn_640x640", 320, "ssd_resnet152_v1_fpn_640x640"),
    ],
)
def test_a_model_of_another_size_keeps_all_but_the_size_and_takes_the_weights_of_the_nearest(
    name: str, side_px: int, archive: str
) -> None:
    found = find_model(name, side_px)

    assert isinstance(found, ModelDefinition)
    assert found.zoo_archive == f"{archive}_coco17_tpu-8"
    assert found == replace(MODELS[name], side_px=side_px, zoo_name=found.zoo_name)
    assert canvas_resizer(pipeline_proto(found)).canvas == (side_px, side_px)
    resizer = input_resizer(name, side_px)
    assert resizer is not None
    assert resizer.canvas == (side_px, side_px)


def test_the_gate_knows_the_size_of_every_model_but_a_users_config() -> None:
    for name, model in MODELS.items():
        assert input_resizer(name, None) == canvas_resizer(pipeline_proto(model))
    assert input_resizer("configs/mine_640x640.config", None) is None


def test_a_size_that_the_layers_cannot_have_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"model\.side_px: 320 is no multiple of 128, .*; take 256"):
        find_model("ssd_efficientdet_d0_512x512", 320)


@pytest.mark.parametrize("meaning", [find_model, input_resizer])
def test_a_users_config_says_its_size_itself(meaning) -> None:
    with pytest.raises(ConfigError, match=r"configs/mine\.config says its input size itself.* model\.side_px to null"):
        meaning("configs/mine.config", 512)
