"""Text that is a pipeline.config in an unusual form, or none: read, or refused in a short sentence."""

import re
from pathlib import Path

import pytest
from google.protobuf import text_format
from object_detection.protos import pipeline_pb2

from tasks.detector.model_proto import pipeline_proto
from tasks.detector.pipeline_config import config_text, read_pipeline_config, refuse_faulty_numbers
from tasks.errors import ConfigError
from tasks.model.definitions import MODELS, closest_model, find_model
from tasks.model.geometry import read_model_geometry, read_resizer

READERS = [read_pipeline_config, read_resizer, read_model_geometry]
MINE = pipeline_proto(MODELS["ssd_mobilenet_v2_fpnlite_320x320"])


@pytest.mark.parametrize("form", [b"\xef\xbb\xbf%s", b"%s"], ids=["byte order mark", "plain"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path, form: bytes, line_end: bytes) -> None:
    (tmp_path / "mine.config").write_bytes(form % config_text(MINE).encode().replace(b"\n", line_end))
    assert read_pipeline_config(tmp_path / "mine.config") == MINE
    assert read_resizer(tmp_path / "mine.config").canvas == (320, 320)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("text", ["\0" * 100_000, "mine {" * 20_000, "mine: " * 20_000], ids=["zeros", "deep", "long"])
def test_a_long_or_deep_text_is_refused_in_a_short_sentence(tmp_path: Path, read, text: str) -> None:
    (tmp_path / "mine.config").write_text(text)
    with pytest.raises(ConfigError, match=re.escape(str(tmp_path / "mine.config"))) as caught:
        read(tmp_path / "mine.config")
    assert len(str(caught.value)) < len(str(tmp_path)) + 500


@pytest.mark.parametrize("read", READERS)
def test_a_folder_is_no_pipeline_config(tmp_path: Path, read) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["a" * 300, "a\0"], ids=["too long", "a zero in it"])
def test_a_name_that_no_file_can_have_is_no_model(name: str) -> None:
    with pytest.raises(ConfigError, match=r"model\.name: there is no file configs/a") as caught:
        find_model(f"configs/{name}.config")
    assert str(caught.value).isprintable()


def test_a_setting_that_is_no_number_is_named_with_the_users_file() -> None:
    config = pipeline_proto(MODELS["faster_rcnn_resnet50_v1_640x640"])
    config.model.faster_rcnn.first_stage_anchor_generator.grid_anchor_generator.scales.append(float("nan"))
    with pytest.raises(ConfigError, match=r"^configs/mine\.config: .*GridAnchorGenerator\.scales is nan"):
        refuse_faulty_numbers(config, Path("configs/mine.config"))


def test_a_map_of_numbers_is_no_message() -> None:
    text = "model { center_net { keypoint_estimation_task { keypoint_label_to_std { key: 'nose' value: 0.2 } } } }"
    refuse_faulty_numbers(text_format.Parse(text, pipeline_pb2.TrainEvalPipelineConfig()), Path("configs/mine.config"))


def test_the_zoos_weights_of_the_nearest_size_are_found_where_proportions_are_kept(tmp_path: Path) -> None:
    resizer = "keep_aspect_ratio_resizer { min_dimension: 640 max_dimension: 640 pad_to_max_dimension: true }"
    extractor = "feature_extractor { type: 'ssd_mobilenet_v2_fpn_keras' }"
    (tmp_path / "mine.config").write_text(f"model {{ ssd {{ image_resizer {{ {resizer} }} {extractor} }} }}")
    assert closest_model(tmp_path / "mine.config") == MODELS["ssd_mobilenet_v2_fpnlite_640x640"]


def test_without_thresholds_every_box_matches_an_anchor(tmp_path: Path) -> None:
    config = pipeline_pb2.TrainEvalPipelineConfig()
    config.CopyFrom(MINE)
    config.model.ssd.matcher.argmax_matcher.ignore_thresholds = True
    (tmp_path / "mine.config").write_text(config_text(config))
    assert read_model_geometry(tmp_path / "mine.config").matched_iou == 0


@pytest.mark.parametrize("weight", [-1.0, float("inf")])
def test_a_loss_is_neither_maximised_nor_infinite(weight: float) -> None:
    config = pipeline_pb2.TrainEvalPipelineConfig()
    config.CopyFrom(MINE)
    config.model.ssd.loss.localization_weight = weight
    with pytest.raises(ConfigError, match=r"localization_weight is (-1|inf); write a number of 0 or more"):
        refuse_faulty_numbers(config, Path("configs/mine.config"))
