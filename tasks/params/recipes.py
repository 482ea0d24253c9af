"""Recipes: values of params.yaml's `train` section by how long one can wait; studies/recipes is there to compare them.

A key that a recipe decides may be null in params.yaml, and is then the recipe's; a value that is set there wins. Keys
for which null has a meaning of its own (patience, max_minutes, decay_steps, localization_weight, focal_alpha,
focal_gamma) are not decided here.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

RecipeName = Literal["quick", "standard", "thorough"]

_QUICK: dict[str, Any] = {
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
# What several changes at once are worth in a longer training: arm `strong` of studies/recipes.
_STANDARD = _QUICK | {
    "steps": 900,
    "cache.copies": 12,
    "ema_decay": 0.98,
    "augment.crop": 0.7,
    "augment.crop_min_area": 0.2,
    "augment.zoom_out": 0.3,
    "augment.mosaic": 0.5,
    "eval_every": 150,
}
# The same with all of the network learning: arm `strong_unfrozen`. More steps instead (`strong_2400`): no sure gain.
_THOROUGH = _STANDARD | {"freeze": "none"}
# By dotted key below `train`.
RECIPES: dict[RecipeName, dict[str, Any]] = {"quick": _QUICK, "standard": _STANDARD, "thorough": _THOROUGH}
# The keys that a recipe decides.
DECIDED = tuple(_QUICK)


def with_recipe(train: Any) -> Any:
    """The `train` section, each null of a key that its recipe decides replaced by the recipe's value.

    What is no section, or lacks keys, comes back as it is: its limits are checked elsewhere.

    Raises:
        ValueError: there is no such recipe, or a key is null that only a recipe can decide, and there is none.
    """
    if not isinstance(train, Mapping) or "recipe" not in train:
        return train
    name = train["recipe"]
    if name is not None and name not in get_args(RecipeName):
        shown = "off" if name is False else repr(name)
        raise ValueError(
            f"recipe: there is no {shown}; there are {', '.join(get_args(RecipeName))}, and null where you set all "
            "values yourself"
        )
    nulls = list(_nulls(train))
    if name is None and nulls:
        raise ValueError(
            f"null: {', '.join(nulls)}; without train.recipe these have no value: set them, or set train.recipe to "
            f"{', '.join(get_args(RecipeName))}"
        )
    filled: dict[str, Any] = {key: dict(own) if isinstance(own, Mapping) else own for key, own in train.items()}
    for key in nulls:
        section, _, below = key.rpartition(".")
        (filled[section] if section else filled)[below] = RECIPES[name][key]
    return filled


def decided_values(train: Mapping[str, Any]) -> dict[str, Any]:
    """The values that `train`, a section as a dict, has for the keys that a recipe decides, by dotted key."""
    return {key: _value(train, key) for key in DECIDED}


def own_values(name: RecipeName, train: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `decided_values` that are not the recipe's: set in params.yaml."""
    return {key: value for key, value in decided_values(train).items() if value != RECIPES[name][key]}


def _nulls(train: Mapping[str, Any]) -> Iterator[str]:
    for key in DECIDED:
        section, _, below = key.rpartition(".")
        within = train.get(section) if section else train
        if isinstance(within, Mapping) and below in within and within[below] is None:
            yield key


def _value(train: Mapping[str, Any], key: str) -> Any:
    section, _, below = key.rpartition(".")
    return (train[section] if section else train)[below]
