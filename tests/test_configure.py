import json
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import text_format

from tasks.configure import configure
from tasks.detector.model_definitions import MODELS
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.pipeline_config import read_pipeline_config
from tasks.errors import CheckpointError, ConfigError, PipelineError
from tasks.params import ExportParams, ModelParams
from tests.train_params import train_params

TRAIN = train_params(steps=40, batch_size=4, learning_rate=0.002, warmup_steps=5, eval_every=20, save_every=20)
EXPORT = ExportParams(max_detections=20, nms_iou_threshold=0.4)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's root with a label map of two classes and weights that are no checkpoint, as working directory."""
    monkeypatch.chdir(tmp_path)
    write(Path("data/records/label_map.pbtxt"), "item { id: 1 name: 'mug' }\nitem { id: 2 name: 'hat' }\n")
    write(Path("models/base/base.json"), json.dumps({"kind": "weights"}))
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def run(name: str) -> dict:
    return configure(
        ModelParams(name=name),
        TRAIN,
        EXPORT,
        records=Path("data/records"),
        base=Path("models/base"),
        pipeline_config=Path("models/pipeline.config"),
    )


@pytest.mark.parametrize("name", MODELS)
def test_every_model_gets_a_whole_config(name: str) -> None:
    figures = run(name)

    config = read_pipeline_config(Path("models/pipeline.config"))
    assert config.model.ssd.num_classes == figures["classes"] == 2
    assert config.model.ssd.feature_extractor.type == MODELS[name].feature_extractor
    assert config.train_config.num_steps == 40
    assert figures["input"] == f"{MODELS[name].side_px}x{MODELS[name].side_px}"
    assert "PATH_TO_BE_CONFIGURED" not in Path("models/pipeline.config").read_text()


def test_a_tensorflow_checkpoint_is_named_as_the_start() -> None:
    write(Path("models/base/base.json"), json.dumps({"kind": "tf_checkpoint"}))
    write(Path("models/base/checkpoint/ckpt-0.index"), "index")

    run("ssd_mobilenet_v2_fpnlite_320x320")

    training = read_pipeline_config(Path("models/pipeline.config")).train_config
    assert training.fine_tune_checkpoint == "models/base/checkpoint/ckpt-0"
    assert training.fine_tune_checkpoint_type == "detection"
    assert training.fine_tune_checkpoint_version == 2


@pytest.mark.parametrize("kind", ["weights", "none"])
def test_other_weights_leave_the_start_unset(kind: str) -> None:
    write(Path("models/base/base.json"), json.dumps({"kind": kind}))

    run("ssd_mobilenet_v2_fpnlite_320x320")

    training = read_pipeline_config(Path("models/pipeline.config")).train_config
    assert not training.HasField("fine_tune_checkpoint")
    assert not training.HasField("fine_tune_checkpoint_type")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"kind": "tf_checkpoint"}'], ids=["empty", "a list", "no kind", "no checkpoint"]
)
def test_a_base_that_is_not_what_it_should_be_is_refused(text: str) -> None:
    write(Path("models/base/base.json"), text)

    with pytest.raises(CheckpointError, match="models/base"):
        run("ssd_mobilenet_v2_fpnlite_320x320")
    assert not Path("models/pipeline.config").exists()


def test_a_users_config_is_filled_in_and_otherwise_kept() -> None:
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
    assert figures == {"model": "configs/mine.config", "classes": 2, "input": "320x256"}
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
def test_a_model_that_is_not_there_leaves_nothing_behind(name: str) -> None:
    with pytest.raises(PipelineError, match=r"model\.name"):
        run(name)
    assert not Path("models/pipeline.config").exists()


def test_configure_does_not_import_tensorflow() -> None:
    code = "import sys, tasks.configure as _; print(*{'tensorflow', 'object_detection.protos'} & sys.modules.keys())"
    root = Path(__file__).parent.parent

    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)

    assert run.stdout.split() == ["object_detection.protos"]
