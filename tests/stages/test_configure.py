import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format

from tasks.artifacts.base import write_arrays
from tasks.artifacts.lint import read_findings
from tasks.dataset.dataset import AnnotatedImage
from tasks.dataset.splits import SPLITS
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.pipeline_config import read_pipeline_config
from tasks.errors import CheckpointError, ConfigError, PipelineError
from tasks.model.definitions import MODELS
from tasks.params import ModelParams
from tasks.stages.configure import configure
from tasks.tfrecords.tf_example import encode_example, shard_name
from tasks.tfrecords.tfrecord import write_records
from tests.artifacts.base_descriptions import base_description, describe_base
from tests.exporting.params import export_params
from tests.lint.pictures import picture
from tests.training.train_params import train_params

BASE = Path("models/base")
DEFAULT = "ssd_mobilenet_v2_fpnlite_320x320"
SMALL = {
    "steps": 40,
    "batch_size": 4,
    "learning_rate": 0.002,
    "warmup_steps": 5,
    "eval_every": 20,
    "save_every": 20,
}
EXPORT = export_params(max_detections=20, nms_iou_threshold=0.4, score_threshold=None)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's root with records of two classes and weights that are no checkpoint, as working directory."""
    monkeypatch.chdir(tmp_path)
    write(Path("data/records/label_map.pbtxt"), "item { id: 1 name: 'mug' }\nitem { id: 2 name: 'hat' }\n")
    for split in SPLITS:
        write_split(split, [picture(("mug", 40, 40), ("hat", 80, 80))] * 6)
    write_arrays({"Conv1/kernel": np.zeros(1, np.float32)}, describe_base(BASE, source="imagenet"))
    return tmp_path


def write_split(split: str, images: list[AnnotatedImage]) -> None:
    """Write the records of a split; the checks need no pixels."""
    write_records(
        Path("data/records") / shard_name(split, 0, 1),
        [encode_example(image, b"", "jpeg", {"mug": 1, "hat": 2}, source_id="1", sha256="") for image in images],
    )


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def run(name: str, *, side_px: int | None = None, **changes: object) -> dict:
    return configure(
        ModelParams(name=name, side_px=side_px),
        train_params(**SMALL | changes),
        EXPORT,
        records=Path("data/records"),
        base=BASE,
        pipeline_config=Path("models/pipeline.config"),
        lint=Path("models/lint.json"),
    )


def findings() -> list[tuple[str, str, str]]:
    return [(finding.level, finding.key, finding.value) for finding in read_findings(Path("models/lint.json"))]


@pytest.mark.parametrize("name", MODELS)
def test_every_model_gets_a_complete_config(name: str) -> None:
    figures = run(name)

    config = read_pipeline_config(Path("models/pipeline.config"))
    assert config.model.ssd.num_classes == figures["classes"] == 2
    assert config.model.ssd.feature_extractor.type == MODELS[name].feature_extractor
    assert config.train_config.num_steps == 40
    assert figures["input"] == f"{MODELS[name].side_px}x{MODELS[name].side_px}"
    assert "PATH_TO_BE_CONFIGURED" not in Path("models/pipeline.config").read_text()


@pytest.mark.parametrize("name", MODELS)
def test_the_input_has_the_size_that_params_ask_for(name: str) -> None:
    assert run(name, side_px=416)["input"] == "416x416"

    resizer = read_pipeline_config(Path("models/pipeline.config")).model.ssd.image_resizer
    assert (resizer.fixed_shape_resizer.height, resizer.fixed_shape_resizer.width) == (416, 416)


def test_a_tensorflow_checkpoint_becomes_the_fine_tune_checkpoint() -> None:
    describe_base(BASE, "tf_checkpoint")
    write(Path("models/base/checkpoint/ckpt-0.index"), "index")

    run("ssd_mobilenet_v2_fpnlite_320x320")

    training = read_pipeline_config(Path("models/pipeline.config")).train_config
    assert training.fine_tune_checkpoint == "models/base/checkpoint/ckpt-0"
    assert training.fine_tune_checkpoint_type == "detection"
    assert training.fine_tune_checkpoint_version == 2


@pytest.mark.parametrize("kind", ["weights", "none"])
def test_other_weights_leave_the_fine_tune_checkpoint_unset(kind: str) -> None:
    describe_base(BASE, kind)

    run("ssd_mobilenet_v2_fpnlite_320x320")

    training = read_pipeline_config(Path("models/pipeline.config")).train_config
    assert not training.HasField("fine_tune_checkpoint")
    assert not training.HasField("fine_tune_checkpoint_type")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not a JSON file"),
        ("[]", "not what the checkpoint stage writes: its content"),
        ("{}", "not what the checkpoint stage writes: kind: Field required"),
        (base_description("tf_checkpoint").model_dump_json(), "no such file, but models/base/base.json promises it"),
    ],
    ids=["empty", "a list", "no kind", "no checkpoint"],
)
def test_a_broken_base_is_refused(text: str, complaint: str) -> None:
    write(BASE / "base.json", text)

    with pytest.raises(CheckpointError, match=f"models/base/.*{complaint}"):
        run("ssd_mobilenet_v2_fpnlite_320x320")
    assert not Path("models/pipeline.config").exists()


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
    write(Path("configs/mine.config"), "model { faster_rcnn { num_classes: 3 } }")

    with pytest.raises(ConfigError, match=r"configs/mine.config: its model is faster_rcnn; supported are SSD"):
        run("configs/mine.config")


@pytest.mark.parametrize("name", ["ssd_mobilenet", "elsewhere/mine.config", "configs/missing.config", ""])
def test_an_unknown_model_is_refused_and_nothing_is_written(name: str) -> None:
    with pytest.raises(PipelineError, match=r"model\.name"):
        run(name)
    assert not Path("models/pipeline.config").exists()


def test_the_shipped_recipe_on_sound_data_has_no_finding(capsys: pytest.CaptureFixture[str]) -> None:
    figures = run(DEFAULT)

    assert (figures["warnings"], findings(), capsys.readouterr().out) == (0, [], "")


def test_findings_are_printed_counted_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    write_split("train", [picture(("mug", 12, 12), ("hat", 80, 80))] * 6)
    write_split("val", [])

    figures = run(DEFAULT, eval_every=50)

    assert findings() == [
        ("warning", "the val split", ""),
        ("warning", "model.name", DEFAULT),
        ("info", "train.eval_every", "50"),
        ("info", "model.name", DEFAULT),
    ]
    assert figures["warnings"] == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["configure", "warning"],
        ["configure", "warning"],
        ["configure", "info"],
        ["configure", "info"],
    ]
    assert "100 % of mug (6 of 6)" in lines[1]
    assert lines[1].endswith("set model.side_px: 640, which would leave 0 % of them, for about 4 times the time")
    assert lines[3].endswith("set model.side_px: 640")


@pytest.mark.parametrize(
    ("name", "side_px", "remedies"),
    [
        # Its anchors grow with its input: no size helps, another model's anchors do.
        ("ssd_mobilenet_v2_320x320", None, ["ssd_mobilenet_v2_fpnlite_640x640 would", "set model.side_px: 512, which"]),
        (DEFAULT, 1024, []),
        ("ssd_resnet50_v1_fpn_640x640", 416, ["set model.side_px: 640, which", "set model.side_px: 640"]),
        ("configs/mine.config", None, ["write 640 for height and width of its fixed_shape_resizer"] * 2),
    ],
)
def test_the_lever_is_the_size_where_it_helps(name: str, side_px: int | None, remedies: list[str]) -> None:
    write(Path("configs/mine.config"), text_format.MessageToString(pipeline_proto(MODELS[DEFAULT])))
    write_split("train", [picture(("mug", 12, 12), ("hat", 80, 80))] * 6)

    run(name, side_px=side_px)

    found = [each.remedy for each in read_findings(Path("models/lint.json")) if "box" in each.why]
    assert [remedy[: len(start)] for remedy, start in zip(found, remedies, strict=True)] == remedies


def test_all_errors_are_listed_at_once_and_nothing_is_written() -> None:
    describe_base(BASE, "none")
    write_split("train", [])

    with pytest.raises(ConfigError) as raised:
        run(DEFAULT, freeze=19)

    message = str(raised.value)
    for error in ("train.freeze 19: this backbone", "frozen layers would stay random", "the train split: it has no im"):
        assert error in message
    assert not Path("models/pipeline.config").exists()
    assert not Path("models/lint.json").exists()


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
    mine.model.ssd.anchor_generator.flexible_grid_anchor_generator.SetInParent()
    write(Path("configs/mine.config"), text_format.MessageToString(mine))

    run("configs/mine.config")

    assert ("info", "model.name", "configs/mine.config") in findings()
    assert Path("models/pipeline.config").is_file()


def test_configure_does_not_import_tensorflow() -> None:
    unwanted = {"tensorflow", "object_detection.protos"}
    code = f"import sys, tasks.stages.configure as _; print(*{unwanted} & sys.modules.keys())"
    root = Path(__file__).parents[2]

    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)

    assert run.stdout.split() == ["object_detection.protos"]
