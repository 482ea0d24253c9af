import re
from pathlib import Path

import pytest
import yaml

from tasks.errors import ParamsError
from tasks.params import read_params

TEXT = (Path(__file__).parents[1] / "params.yaml").read_text()


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("split", "val_fraction", 1.5, "split.val_fraction: Input should be less than or equal to 1"),
        ("split", "val_fraction", 0.9, "must stay below 1"),
        ("split", "seed", -1, "split.seed"),
        ("train", "steps", 0, "train.steps"),
        ("train", "steps", "many", "train.steps"),
        ("train", "freeze", "half", "train.freeze: Input should be auto, none, backbone, heads-only, a number of"),
        ("train", "freeze", True, "train.freeze: Input should be auto, none"),
        ("train", "freeze", 0, "train.freeze: Input should be greater than or equal to 1"),
        ("train", "freeze", [], "train.freeze: List should have at least 1 item"),
        ("train", "freeze", ["block_1("], "is not a regular expression"),
        ("train", "focal_alpha", 1.0, "train.focal_alpha: Input should be less than 1"),
        ("train", "focal_gamma", -0.5, "train.focal_gamma"),
        ("train", "learning_rate", float("inf"), "train.learning_rate: Input should be a finite number"),
        ("train", "focal_gamma", float("inf"), "train.focal_gamma: Input should be a finite number"),
        ("train", "second_phase", True, "train.second_phase: Input should be off, or {steps: 600, freeze: none"),
        ("train", "second_phase", "on", "train.second_phase: Input should be off, or {steps: 600, freeze: none"),
        ("train", "second_phase", {"steps": 9, "freeze": "none"}, "train.second_phase.learning_rate: Field required"),
        ("train", "second_phase", {"steps": 0, "freeze": "none", "learning_rate": 0.1}, "greater than or equal to 1"),
        ("train", "augment", {"flip": 2.0}, "train.augment.flip: Input should be less than or equal to 1"),
        ("train", "augment", {"crop_min_area": 0.0}, "train.augment.crop_min_area: Input should be greater than"),
        ("train", "augment", {"mosaic": -0.1}, "train.augment.mosaic: Input should be greater than or equal to 0"),
        ("train", "optimzer", "adam", "train.optimzer: Extra inputs are not permitted"),
        ("ingest", "format", "tfrecord", "ingest.format"),
        (
            "ingest",
            "columns",
            {"filename": ["a", "b"]},
            "columns.filename: name one column; only slice may have a list",
        ),
        ("ingest", "columns", {"slice": []}, "ingest.columns.slice: List should have at least 1 item"),
        ("ingest", "columns", {"slice": 3}, "ingest.columns.slice: Input should be a valid string"),
        ("validate", "on_problem", "ignore", "validate.on_problem"),
        ("checkpoint", "sha256", "abc", "checkpoint.sha256"),
        ("model", "side_px", 300, "model.side_px: Value error, 300 is not possible: null (the model's own size), or a"),
        ("model", "side_px", 224, "a multiple of 32 from 256 to 1024"),
        ("model", "side_px", 1056, "a multiple of 32 from 256 to 1024"),
        ("model", "side_px", "large", "model.side_px: Input should be a valid integer"),
        ("records", "max_side_px", 0, "records.max_side_px"),
        ("records", "workers", 0, "records.workers"),
        ("records", "scheduler", "localhost:8786", "records.scheduler"),
    ],
)
def test_a_value_that_cannot_be_meant_is_named_by_its_key(
    section: str, key: str, value: object, message: str, tmp_path: Path
) -> None:
    params = yaml.safe_load(TEXT)
    params[section][key] = value
    with pytest.raises(ParamsError, match=re.escape(message)):
        read_params(written(tmp_path, yaml.safe_dump(params)))


def test_a_fault_is_named_by_keys_of_the_file_and_by_no_type_of_python(tmp_path: Path) -> None:
    params = yaml.safe_load(TEXT)
    params["train"] |= {
        "second_phase": {"steps": 0, "freeze": ["("], "learning_rate": 0.1, "pace": 1},
        "freeze": None,
        "recipe": "quick",
        "cache": None,
        "augment": [],
    }
    with pytest.raises(ParamsError) as caught:
        read_params(written(tmp_path, yaml.safe_dump(params)))
    assert str(caught.value).splitlines()[1:] == [
        "  train.second_phase.steps: Input should be greater than or equal to 1",
        "  train.second_phase.freeze.0: Value error, '(' is not a regular expression: missing ), unterminated "
        "subpattern at position 0",
        "  train.second_phase.pace: Extra inputs are not permitted",
        "  train.cache: Input is no section: write its keys below it, indented",
        "  train.augment: Input is no section: write its keys below it, indented",
    ]


def test_every_fault_is_listed_at_once(tmp_path: Path) -> None:
    params = yaml.safe_load(TEXT)
    del params["split"]["seed"]
    params["train"]["batch_size"] = -3
    with pytest.raises(ParamsError) as caught:
        read_params(written(tmp_path, yaml.safe_dump(params)))
    assert "split.seed: Field required" in str(caught.value)
    assert "train.batch_size" in str(caught.value)


@pytest.mark.parametrize("text", ["train: [", "", "just words", "- a\n- b"], ids=["broken", "empty", "text", "list"])
def test_a_file_that_is_no_params_yaml_is_a_clear_error(text: str, tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"params\.yaml"):
        read_params(written(tmp_path, text))


def test_a_missing_file_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="no such file; run from the project's root"):
        read_params(tmp_path / "params.yaml")


def test_off_may_be_written_without_quotes(tmp_path: Path) -> None:
    text = TEXT.replace("cache: {use: auto,", "cache: {use: off,")

    assert read_params(written(tmp_path, text)).train.cache.use == "off"


@pytest.mark.parametrize("columns", [{}, {"slice": "camera"}, {"slice": ["camera", "site"], "class": "Art"}])
def test_columns_of_slices_are_one_or_a_list(columns: dict[str, object], tmp_path: Path) -> None:
    params = yaml.safe_load(TEXT)
    params["ingest"]["columns"] = columns
    assert read_params(written(tmp_path, yaml.safe_dump(params))).ingest.columns == columns


@pytest.mark.parametrize("key", ["source", "images"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_path_left_empty_is_named(tmp_path: Path, key: str, value: str | None) -> None:
    params = yaml.safe_load(TEXT)
    params["ingest"][key] = value
    with pytest.raises(ParamsError, match=rf"ingest\.{key}: .*is empty: write a path"):
        read_params(written(tmp_path, yaml.safe_dump(params)))
