"""A pipeline.config of the user's: what of it is kept, replaced and refused."""

from pathlib import Path

import pytest
from google.protobuf import text_format

from tasks.artifacts.lint import read_findings
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.pipeline_config import read_pipeline_config
from tasks.errors import ConfigError
from tasks.model.definitions import MODELS
from tests.lint.pictures import picture
from tests.stages.configure.configured import DEFAULT, findings, run, write, write_split


def test_a_users_config_is_filled_in_and_otherwise_unchanged() -> None:
    mine = pipeline_proto(MODELS["ssd_mobilenet_v2_fpnlite_320x320"])
    mine.model.ssd.image_resizer.fixed_shape_resizer.height = 256
    mine.model.ssd.loss.localization_weight = 2.0
    mine.model.ssd.anchor_generator.multiscale_anchor_generator.anchor_scale = 3.0
    mine.train_config.fine_tune_checkpoint = "PATH_TO_BE_CONFIGURED"
    mine.train_config.fine_tune_checkpoint_type = "classification"
    mine.train_config.data_augmentation_options.add().random_vertical_flip.SetInParent()
    mine.train_config.optimizer.rms_prop_optimizer.SetInParent()
    mine.train_input_reader.label_map_path = "PATH_TO_BE_CONFIGURED"
    mine.train_input_reader.num_readers = 3
    mine.eval_input_reader.add().tf_record_input_reader.input_path.append("PATH_TO_BE_CONFIGURED")
    write(Path("configs/mine.config"), text_format.MessageToString(mine))

    figures = run("configs/mine.config")

    config = read_pipeline_config(Path("models/pipeline.config"))
    assert figures == {"model": "configs/mine.config", "classes": 2, "input": "320x256", "warnings": 0}
    assert config.model.ssd.loss.localization_weight == 2.0
    assert config.model.ssd.anchor_generator.multiscale_anchor_generator.anchor_scale == 3.0
    assert config.train_input_reader.num_readers == 3
    assert config.model.ssd.num_classes == 2
    assert config.train_config.batch_size == 4
    assert config.train_config.optimizer.WhichOneof("optimizer") == "adam_optimizer"
    assert len(config.train_config.data_augmentation_options) == 3
    assert not config.train_config.HasField("fine_tune_checkpoint")
    assert list(config.eval_input_reader[0].tf_record_input_reader.input_path) == [
        "data/records/val-?????-of-?????.tfrecord"
    ]


def test_a_users_config_of_another_architecture_is_refused() -> None:
    write(Path("configs/mine.config"), "model { experimental_model { name: 'mine' } }")

    with pytest.raises(
        ConfigError, match=r"configs/mine.config: its model is experimental_model; supported are models of"
    ):
        run("configs/mine.config")


@pytest.mark.parametrize(
    ("name", "side_px", "remedies"),
    [
        # Its anchors grow with its input: no size helps, another model's anchors do.
        (
            "ssd_mobilenet_v2_320x320",
            None,
            ["ssd_mobilenet_v2_fpnlite_640x640 (model.side_px: null) would", "set model.side_px: 512, which"],
        ),
        (DEFAULT, 1024, []),
        ("ssd_resnet50_v1_fpn_640x640", 416, ["set model.side_px: 640, which", "set model.side_px: 640"]),
        ("configs/mine.config", None, ["write 640 for both sides in its image_resizer"] * 2),
    ],
)
def test_the_lever_is_the_size_where_it_helps(name: str, side_px: int | None, remedies: list[str]) -> None:
    write(Path("configs/mine.config"), text_format.MessageToString(pipeline_proto(MODELS[DEFAULT])))
    write_split("train", [picture(("mug", 12, 12), ("hat", 80, 80))] * 6)

    run(name, side_px=side_px)

    found = [each.remedy for each in read_findings(Path("models/lint.json")) if "box" in each.why]
    assert [remedy[: len(start)] for remedy, start in zip(found, remedies, strict=True)] == remedies


def test_a_placeholder_in_a_users_config_is_refused_by_its_setting() -> None:
    mine = pipeline_proto(MODELS[DEFAULT])
    mine.eval_config.visualization_export_dir = "PATH_TO_BE_CONFIGURED"
    write(Path("configs/mine.config"), text_format.MessageToString(mine))

    with pytest.raises(ConfigError, match=r"configs/mine\.config: visualization_export_dir PATH_TO_BE_CONFIGURED"):
        run("configs/mine.config")
    assert not Path("models/pipeline.config").exists()


def test_the_settings_that_params_replace_in_a_users_config_are_listed() -> None:
    mine = pipeline_proto(MODELS[DEFAULT])
    mine.train_config.batch_size = 128
    cosine = mine.train_config.optimizer.momentum_optimizer.learning_rate.cosine_decay_learning_rate
    cosine.learning_rate_base, cosine.total_steps = 0.08, 50000
    write(Path("configs/mine.config"), text_format.MessageToString(mine))

    run("configs/mine.config")

    reasons = {finding.value: finding.why for finding in read_findings(Path("models/lint.json"))}
    assert reasons == {
        "num_classes 1": "replaced by 2, from the label map",
        "batch_size 128": "replaced by 4, from train.batch_size",
        "optimizer momentum_optimizer": "replaced by adam_optimizer, from train.optimizer",
        "learning rate cosine_decay_learning_rate from 0.08 over 50000 steps": (
            "replaced by cosine_decay_learning_rate from 0.002 over 40 steps, "
            "from train.learning_rate, train.warmup_steps and train.decay_steps"
        ),
    }


def test_loss_settings_of_a_users_config_that_params_replace_are_noted() -> None:
    mine = pipeline_proto(MODELS[DEFAULT])
    mine.model.ssd.loss.classification_loss.weighted_sigmoid_focal.gamma = 1.0
    write(Path("configs/mine.config"), text_format.MessageToString(mine))

    run("configs/mine.config", localization_weight=2.5, focal_gamma=1.5)

    reasons = {finding.value: finding.why for finding in read_findings(Path("models/lint.json"))}
    assert reasons["localization_weight 1"] == "replaced by 2.5, from train.localization_weight"
    assert reasons["focal gamma 1"] == "replaced by 1.5, from train.focal_gamma"
    assert "focal alpha 0.25" not in reasons


def test_unknown_anchors_are_noted_and_do_not_stop_the_run() -> None:
    mine = pipeline_proto(MODELS[DEFAULT])
    grids = mine.model.ssd.anchor_generator.flexible_grid_anchor_generator.anchor_grid
    for level in range(3, 8):
        grids.add(base_sizes=[2.0**level * 4], aspect_ratios=[1.0], height_stride=2**level, width_stride=2**level)
    write(Path("configs/mine.config"), text_format.MessageToString(mine))

    run("configs/mine.config")

    assert ("info", "model.name", "configs/mine.config") in findings()
    assert Path("models/pipeline.config").is_file()
