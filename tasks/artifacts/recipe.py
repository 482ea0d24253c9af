"""The recipe of a training, as the files of a run record it."""

from typing import Any

from tasks.artifacts.artifact import Artifact
from tasks.params import TrainParams
from tasks.params.recipes import DECIDED, RecipeName, decided_values, own_values


class RecipeUse(Artifact):
    """A recipe and what became of it.

    Attributes:
        name: of the recipe; None where params.yaml holds all values itself.
        values: of each key that a recipe decides, as the training had it.
        own: the keys among them that params.yaml set to another value than the recipe's.
    """

    name: RecipeName | None
    values: dict[str, Any]
    own: list[str]

    @property
    def title(self) -> str:
        """`quick`; `quick, but for steps 500`; `none: every value is set in params.yaml`."""
        if self.name is None:
            return "none: every value is set in params.yaml"
        own = ", ".join(f"{key} {_text(self.values[key])}" for key in self.own)
        return f"{self.name}, but for {own}" if own else self.name

    @property
    def values_text(self) -> str:
        """`steps 300, learning_rate 0.001, ...`: the values that the recipe gave; empty where it gave none."""
        # JSON files have the keys in the order of the alphabet.
        keys = [key for key in DECIDED if self.name and key in self.values and key not in self.own]
        return ", ".join(f"{key} {_text(self.values[key])}" for key in keys)


def recipe_use(train: TrainParams) -> RecipeUse:
    """What the recipe of `train` is, and what it gave."""
    values = train.model_dump(mode="json")
    own = own_values(train.recipe, values) if train.recipe else {}
    return RecipeUse(name=train.recipe, values=decided_values(values), own=list(own))


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_text(own)}" for key, own in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)
