"""`zoo_models.json` beside this file holds what the zoo's own pipeline.config files say, flattened, defaults left out.

Made by `python tests/detector/test_pipeline_config.py NAME=pipeline.config ...` from the zoo's archives, and where
those could not be had, from the files of the same names in tensorflow/models, research/object_detection/configs/tf2.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from object_detection.protos import pipeline_pb2

from tasks.detector.model_messages import canvas_resizer, check_supported
from tasks.detector.model_proto import model_proto, pipeline_proto
from tasks.detector.pipeline_config import (
    fill_in,
    read_pipeline_config,
    write_pipeline_config,
)
from tasks.errors import ConfigError
from tasks.model.definitions import MODELS, closest_model, find_model
from tasks.model.ssd_models import SSD_MODELS
from tasks.params import AugmentParams, TrainParams
from tests.exporting.params import export_params
from tests.training.train_params import train_params

GOLDEN = Path(__file__).with_name("zoo_models.json")
DEFAULT = MODELS["ssd_mobilenet_v2_fpnlite_320x320"]
SSD_NAMES = [model.name for model in SSD_MODELS]


def flatten(message: Any, prefix: str = "") -> dict[str, Any]:
    """Field path -> value for all that is set to something else than its default; an empty message is {}."""
    flat: dict[str, Any] = {}
    for field, value in message.ListFields():
        path = f"{prefix}{field.name}"
        if field.message_type is not None:
            assert not field.is_repeated
            flat |= flatten(value, f"{path}.") or {path: {}}
        elif field.is_repeated:
            flat[path] = list(value)
        elif value != field.default_value:
            flat[path] = value
    return flat


def filled(definition_name: str = DEFAULT.name, **changes: Any) -> Any:
    config = pipeline_proto(MODELS[definition_name])
    export = export_params(max_detections=50, nms_iou_threshold=0.5, score_threshold=None)
    fill_in(
        config,
        num_classes=3,
        train=params(**changes),
        export=export,
        records=Path("data/records"),
        fine_tune_checkpoint=None,
    )
    return config


def params(**changes: Any) -> TrainParams:
    return train_params(**({"augment": augment(flip=0.5, crop=0.25)} | changes))


def augment(**often: float) -> AugmentParams:
    never = dict.fromkeys(("flip", "crop", "zoom_out", "colour", "mosaic"), 0.0)
    return AugmentParams(**(never | {"crop_min_area": 0.4, "zoom_out_min": 0.5} | often))


@pytest.mark.parametrize("name", SSD_NAMES)
def test_a_model_equals_the_zoos_own_config(name: str) -> None:
    definition = MODELS[name]
    zoo = json.loads(GOLDEN.read_text(encoding="utf-8"))[definition.zoo_name or name]
    if definition.zoo_name:
        sides = {
            path
            for path in zoo
            if path.endswith(("resizer.height", "resizer.width", "_dimension")) and "pad" not in path
        }
        assert len(sides) == 2
        zoo |= dict.fromkeys(sides, definition.side_px)

    ours = flatten(model_proto(MODELS[name], num_classes=90))

    assert sorted(ours) == sorted(zoo)
    for path, value in zoo.items():
        assert ours[path] == (pytest.approx(value, rel=1e-6) if isinstance(value, float | list) else value), path


@pytest.mark.parametrize("name", SSD_NAMES)
def test_every_batch_norm_has_the_decay_of_the_params(name: str) -> None:
    decays = [value for path, value in flatten(filled(name).model).items() if path.endswith("batch_norm.decay")]

    # A Faster R-CNN's backbone has its decay in code; training sets it there.
    assert decays == pytest.approx([] if name.startswith("faster_rcnn") else [0.9, 0.9])


def test_params_set_the_weight_of_the_box_loss_where_they_have_one() -> None:
    weights = [filled(localization_weight=weight).model.ssd.loss.localization_weight for weight in (None, 2.5)]

    assert weights == [1.0, 2.5]


def test_params_label_map_and_paths_are_filled_in() -> None:
    config = filled()

    assert config.model.ssd.num_classes == 3
    suppression = config.model.ssd.post_processing.batch_non_max_suppression
    assert (suppression.max_total_detections, suppression.max_detections_per_class) == (50, 50)
    assert suppression.iou_threshold == pytest.approx(0.5)
    assert (config.train_config.batch_size, config.train_config.num_steps) == (8, 300)
    assert config.train_config.gradient_clipping_by_norm == pytest.approx(10.0)
    assert list(config.train_input_reader.tf_record_input_reader.input_path) == [
        "data/records/train-?????-of-?????.tfrecord"
    ]
    (eval_reader,) = config.eval_input_reader
    assert list(eval_reader.tf_record_input_reader.input_path) == ["data/records/val-?????-of-?????.tfrecord"]
    assert eval_reader.label_map_path == config.train_input_reader.label_map_path == "data/records/label_map.pbtxt"


@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
def test_the_learning_rate_warms_up_and_then_falls_until_the_last_step(optimizer: str) -> None:
    message = filled(optimizer=optimizer).train_config.optimizer

    assert message.WhichOneof("optimizer") == f"{optimizer}_optimizer"
    assert not message.use_moving_average
    cosine = getattr(message, f"{optimizer}_optimizer").learning_rate.cosine_decay_learning_rate
    assert cosine.learning_rate_base == pytest.approx(0.001)
    assert cosine.warmup_learning_rate == pytest.approx(0.0001)
    assert (cosine.total_steps, cosine.warmup_steps) == (300, 30)


def test_momentum_is_nine_tenths() -> None:
    optimizer = filled(optimizer="momentum").train_config.optimizer

    assert optimizer.momentum_optimizer.momentum_optimizer_value == pytest.approx(0.9)


@pytest.mark.parametrize("steps", [1, 2, 30])
def test_a_run_shorter_than_its_warm_up_shortens_the_warm_up(steps: int) -> None:
    schedule = filled(steps=steps).train_config.optimizer.adam_optimizer.learning_rate.cosine_decay_learning_rate

    assert schedule.warmup_steps == steps - 1
    assert schedule.total_steps == steps


def test_augmentation_is_listed_with_its_probability() -> None:
    flip, crop = filled().train_config.data_augmentation_options

    assert flip.random_horizontal_flip.probability == pytest.approx(0.5)
    assert crop.random_crop_image.random_coef == pytest.approx(0.75)
    assert not filled(augment=augment()).train_config.data_augmentation_options
    (colour,) = filled(augment=augment(colour=1.0)).train_config.data_augmentation_options
    assert colour.WhichOneof("preprocessing_step") == "random_distort_color"


def test_a_written_file_reads_back_as_the_same_message(tmp_path: Path) -> None:
    config = filled()

    write_pipeline_config(config, tmp_path / "in" / "pipeline.config")

    assert read_pipeline_config(tmp_path / "in" / "pipeline.config") == config


def test_a_setting_that_is_not_a_number_is_refused(tmp_path: Path) -> None:
    config = filled()
    config.model.ssd.loss.classification_weight = float("nan")

    with pytest.raises(ConfigError, match="classification_weight is nan, which is no number"):
        write_pipeline_config(config, tmp_path / "pipeline.config")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "where"),
    [("model {\n  ssd {\n    nonsense: 3\n", "3:5"), ("model {", "1:"), ("<html>", "1:1")],
    ids=["unknown field", "not closed", "html"],
)
def test_a_bad_text_is_named_with_its_line(tmp_path: Path, text: str, where: str) -> None:
    (tmp_path / "mine.config").write_text(text)

    with pytest.raises(ConfigError, match=f"mine.config:{where}"):
        read_pipeline_config(tmp_path / "mine.config")


def test_a_missing_or_binary_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.pb").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigError, match="not a text file"):
        read_pipeline_config(tmp_path / "model.pb")
    with pytest.raises(ConfigError, match="no such file"):
        read_pipeline_config(tmp_path / "missing.config")


@pytest.mark.parametrize("name", MODELS)
def test_the_input_size_is_height_and_width(name: str) -> None:
    side = 300 if name == "ssd_mobilenet_v2_320x320" else int(name.rpartition("x")[2])

    assert canvas_resizer(pipeline_proto(MODELS[name])).canvas == (side, side)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("model { experimental_model { name: 'mine' } }", "its model is experimental_model"),
        ("train_config { batch_size: 3 }", "its model is missing"),
        ('model { ssd { feature_extractor { type: "ssd_mobilenet_v2" } } }', "is 'ssd_mobilenet_v2'"),
    ],
    ids=["another architecture", "no model", "TensorFlow 1"],
)
def test_a_model_that_cannot_be_trained_is_refused(text: str, complaint: str) -> None:
    config = text_format.Parse(text, pipeline_pb2.TrainEvalPipelineConfig())

    with pytest.raises(ConfigError, match=f"mine.config: .*{complaint}"):
        check_supported(config, Path("mine.config"))


def test_a_misspelt_model_is_an_error_with_the_nearest_name_and_all_names() -> None:
    with pytest.raises(ConfigError, match=r"did you mean ssd_mobilenet_v2_fpnlite_320x320\?") as caught:
        find_model("ssd_mobilenet_v2_fpnlite_320")
    assert all(name in str(caught.value) for name in MODELS)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("efficientdet_d0", "ssd_efficientdet_d0_512x512"),
        ("centernet_mobilenet_v2", "centernet_mobilenet_v2_fpn_512x512"),
        ("faster_rcnn_resnet101_v1_640x640_coco17_tpu-8", "faster_rcnn_resnet101_v1_640x640"),
    ],
)
def test_a_name_of_the_zoo_that_is_not_ours_is_answered_with_ours(name: str, model: str) -> None:
    with pytest.raises(ConfigError, match=rf"there is no model '{name}'; did you mean {model}\?"):
        find_model(name)


@pytest.mark.parametrize(
    "name", ["mine.config", "/configs/mine.config", "configs/../mine.config", "models/mine.config"]
)
def test_a_config_that_dvc_does_not_track_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"configs/mine\.config"):
        find_model(name)


def test_a_missing_config_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError, match=r"no file configs/mine\.config"):
        find_model("configs/mine.config")


@pytest.mark.parametrize(
    ("extractor", "side_px", "closest"),
    [
        ("ssd_mobilenet_v2_fpn_keras", 512, "ssd_mobilenet_v2_fpnlite_640x640"),
        ("ssd_mobilenet_v2_fpn_keras", 256, "ssd_mobilenet_v2_fpnlite_320x320"),
        ("ssd_resnet50_v1_fpn_keras", 1024, "ssd_resnet50_v1_fpn_640x640"),
    ],
)
def test_a_users_config_is_matched_with_the_zoo_by_layers_and_size(
    tmp_path: Path, extractor: str, side_px: int, closest: str
) -> None:
    config = filled()
    config.model.ssd.feature_extractor.type = extractor
    config.model.ssd.image_resizer.fixed_shape_resizer.height = side_px
    path = tmp_path / "mine.config"
    path.write_text('# feature_extractor { type: "another" }\n' + text_format.MessageToString(config))

    found = closest_model(path)

    assert found is not None
    assert found.name == closest


def test_a_users_config_of_another_family_has_no_zoo_model(tmp_path: Path) -> None:
    (tmp_path / "mine.config").write_text("model { ssd { feature_extractor { type: 'ssd_mobilenet_v1_keras' } } }")

    assert closest_model(tmp_path / "mine.config") is None


def test_model_definitions_need_neither_protobuf_nor_tensorflow() -> None:
    code = "import sys, tasks.model.definitions; sys.exit('google.protobuf' in sys.modules)"

    root = Path(__file__).parent.parent.parent

    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


if __name__ == "__main__":
    texts = dict(argument.split("=", 1) for argument in sys.argv[1:])
    messages = {name: read_pipeline_config(Path(path)).model for name, path in texts.items()}
    content = {name: flatten(message) for name, message in messages.items()}
    GOLDEN.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
