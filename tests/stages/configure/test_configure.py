import subprocess
import sys
from pathlib import Path

import pytest

from tasks.detector.model_messages import canvas_resizer, detector_message, extractor_type
from tasks.detector.pipeline_config import read_pipeline_config
from tasks.errors import CheckpointError, ConfigError, PipelineError
from tasks.model.definitions import MODELS
from tests.artifacts.base_descriptions import base_description, describe_base
from tests.lint.pictures import picture
from tests.stages.configure.configured import BASE, DEFAULT, findings, run, write, write_split


@pytest.mark.parametrize("name", MODELS)
def test_every_model_gets_a_complete_config(name: str) -> None:
    figures = run(name)

    config = read_pipeline_config(Path("models/pipeline.config"))
    assert detector_message(config).num_classes == figures["classes"] == 2
    assert extractor_type(config) == MODELS[name].feature_extractor
    assert config.train_config.num_steps == 40
    assert figures["input"] == f"{MODELS[name].side_px}x{MODELS[name].side_px}"
    assert "PATH_TO_BE_CONFIGURED" not in Path("models/pipeline.config").read_text()


@pytest.mark.parametrize("name", MODELS)
def test_the_input_has_the_size_that_params_ask_for(name: str) -> None:
    side_px = 3 * MODELS[name].side_step_px + 256

    assert run(name, side_px=side_px)["input"] == f"{side_px}x{side_px}"

    config = read_pipeline_config(Path("models/pipeline.config"))
    assert canvas_resizer(config).canvas == (side_px, side_px)


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


def test_configure_does_not_import_tensorflow() -> None:
    unwanted = {"tensorflow", "object_detection.protos"}
    code = f"import sys, tasks.stages.configure as _; print(*{unwanted} & sys.modules.keys())"
    root = Path(__file__).parents[3]

    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)

    assert run.stdout.split() == ["object_detection.protos"]
