"""Recipes: what is null in params.yaml is the recipe's, what is set there wins."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.artifacts.recipe import recipe_use
from tasks.errors import ParamsError
from tasks.params import TrainParams, read_params
from tasks.params.recipes import RECIPES, decided_values, with_recipe

ROOT = Path(__file__).parents[1]
# What quick must stay: the values that the project's figures were made with.
QUICK = {
    "steps": 300,
    "learning_rate": 0.001,
    "warmup_steps": 30,
    "freeze": "auto",
    "second_phase": "off",
    "cache.copies": 4,
    "ema_decay": 0.0,
    "augment.flip": 0.5,
    "augment.crop": 0.5,
    "augment.crop_min_area": 0.4,
    "augment.zoom_out": 0.0,
    "augment.zoom_out_min": 0.5,
    "augment.colour": 0.5,
    "augment.mosaic": 0.0,
    "eval_every": 100,
}


def train_of(tmp_path: Path, **changes: Any) -> TrainParams:
    """The train section of the project's params.yaml with `changes`, read."""
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    for key, value in changes.items():
        section, _, below = key.rpartition("__")
        (content["train"][section] if section else content["train"])[below] = value
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    return read_params(tmp_path / "params.yaml").train


def test_the_shipped_params_are_quick_and_nothing_else(tmp_path: Path) -> None:
    train = train_of(tmp_path)
    assert train.recipe == "quick"
    assert decided_values(train.model_dump()) == QUICK == RECIPES["quick"]
    assert recipe_use(train).own == []


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_decides_the_same_keys_and_its_values_are_valid(name: str, tmp_path: Path) -> None:
    assert list(RECIPES[name]) == list(QUICK)  # type: ignore[index]
    train = train_of(tmp_path, recipe=name)
    assert decided_values(train.model_dump()) == RECIPES[name]  # type: ignore[index]


def test_a_value_that_is_set_wins(tmp_path: Path) -> None:
    train = train_of(tmp_path, recipe="standard", steps=77, augment__mosaic=0.0, cache__copies=1, second_phase=False)
    assert (train.steps, train.augment.mosaic, train.cache.copies) == (77, 0.0, 1)
    assert train.second_phase == "off"
    assert train.learning_rate == RECIPES["standard"]["learning_rate"]
    use = recipe_use(train)
    assert use.own == ["steps", "cache.copies", "augment.mosaic"]
    assert use.title == "standard, but for steps 77, cache.copies 1, augment.mosaic 0"
    assert use.values_text.startswith("learning_rate 0.001, warmup_steps")


def test_without_a_recipe_the_values_that_are_missing_are_named_in_one_sentence(tmp_path: Path) -> None:
    given = {key.replace(".", "__"): value for key, value in QUICK.items()}
    assert train_of(tmp_path, recipe=None, **given).steps == 300
    with pytest.raises(ParamsError) as caught:
        train_of(tmp_path, recipe=None, **{**given, "steps": None, "augment__crop": None})
    (line,) = str(caught.value).splitlines()[1:]
    assert "train: " in line
    assert "null: steps, augment.crop; without train.recipe these have no value" in line


def test_keys_whose_null_has_a_meaning_stay_null(tmp_path: Path) -> None:
    train = train_of(tmp_path)
    assert [train.patience, train.max_minutes, train.decay_steps, train.localization_weight] == [None] * 4
    assert [train.focal_alpha, train.focal_gamma] == [None] * 2


# A plain `off` in YAML is false to Python.
@pytest.mark.parametrize(
    ("name", "shown"), [("slow", "'slow'"), (False, "off"), ("", "''"), (["quick"], r"\['quick'\]")]
)
def test_a_recipe_that_does_not_exist_is_named_with_those_that_do(name: object, shown: str, tmp_path: Path) -> None:
    with pytest.raises(
        ParamsError, match=f"recipe: there is no {shown}; there are quick, standard, thorough, and null"
    ):
        train_of(tmp_path, recipe=name)


@pytest.mark.parametrize("train", [None, [], "quick", {"recipe": "quick"}, {"recipe": "quick", "augment": None}])
def test_what_is_no_section_comes_back_as_it_is(train: object) -> None:
    assert with_recipe(train) == train


def test_the_table_is_not_changed_by_reading(tmp_path: Path) -> None:
    before = {name: dict(values) for name, values in RECIPES.items()}
    train_of(tmp_path, recipe="thorough", augment__mosaic=0.9)
    assert before == RECIPES


def test_params_yaml_lists_what_quick_gives() -> None:
    comment = (ROOT / "params.yaml").read_text().partition("quick gives:")[2].partition("recipe: quick")[0]
    for key, value in QUICK.items():
        name = key.rpartition(".")[2]
        assert (
            any(f"{name}{sign}{value:g}" in comment for sign in (" ", ": "))
            if isinstance(value, float)
            else (f"{name} {value}" in comment)
        ), key


@pytest.mark.parametrize("name", RECIPES)
def test_the_docs_list_every_value_of_every_recipe(name: str, tmp_path: Path) -> None:
    rows = (ROOT / "docs/training.md").read_text().splitlines()
    (row,) = [line for line in rows if line.startswith(f"| `{name}` |")]
    assert f"| {recipe_use(train_of(tmp_path, recipe=name)).values_text} |" in row
