import pytest

from tasks.lint.config_text import check_placeholders, check_replaced


@pytest.mark.parametrize(
    "value",
    ["PATH_TO_BE_CONFIGURED", "TO_BE_CONFIGURED/model.ckpt", "/path/to/labels.pbtxt", "YOUR_CHECKPOINT", "PATH_TO_X/y"],
)
def test_a_placeholder_is_an_error_that_names_the_setting(value):
    (found,) = check_placeholders(f'train_config {{\n  fine_tune_checkpoint: "{value}"\n}}\n', "pipeline.config")
    assert (found.level, found.key, found.value) == ("error", "pipeline.config: fine_tune_checkpoint", value)


@pytest.mark.parametrize(
    "line", ['input_path: "data/records/train-?????"', 'type: "ssd_keras"', 'a: "footpath/tower"', "num_classes: 3"]
)
def test_other_settings_pass(line):
    assert check_placeholders(line, "pipeline.config") == []


def test_only_a_replaced_setting_is_reported_with_the_source_of_its_value():
    before = {"batch_size": "128", "optimizer": "adam_optimizer"}
    after = {"batch_size": "8", "optimizer": "adam_optimizer", "num_steps": "300"}
    taken = {"batch_size": "train.batch_size"}
    (found,) = check_replaced("configs/mine.config", before, after, taken)
    assert str(found) == "configs/mine.config batch_size 128: replaced by 8, from train.batch_size"
