"""Params and their types hold values and limits: no stage depends on their code, so they compute no result."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from tasks.params import Params
from tasks.params.recipes import with_recipe
from tasks.params.value_types import Section

ROOT = Path(__file__).parents[1]
SOURCES = [(ROOT / f"tasks/params/{name}.py").read_text() for name in ("__init__", "value_types")]
TREE = ast.parse("\n".join(SOURCES))
CLASSES = [node for node in TREE.body if isinstance(node, ast.ClassDef)]


def sections(model: type[BaseModel] = Params) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from sections(field.annotation)


def names_in(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def test_reading_changes_no_value_but_what_a_recipe_gives() -> None:
    def as_read(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: as_read(each) for key, each in value.items()}
        return "off" if value is False and value is not True else value

    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    values = Params.model_validate(content).model_dump(mode="json", by_alias=True)
    assert as_read(values) == as_read({**content, "train": with_recipe(content["train"])})


@pytest.mark.parametrize("section", list(sections()), ids=lambda section: section.__name__)
def test_a_section_has_no_defaults_and_no_validators_of_fields(section: type[BaseModel]) -> None:
    assert [name for name, field in section.model_fields.items() if not field.is_required()] == []
    decorators = section.__pydantic_decorators__
    changing = ("field_validators", "validators", "computed_fields", "field_serializers", "model_serializers")
    assert [kind for kind in changing if getattr(decorators, kind)] == []


@pytest.mark.parametrize("definition", CLASSES, ids=lambda definition: definition.name)
def test_a_section_has_no_methods_but_limits(definition: ast.ClassDef) -> None:
    functions = [node for node in definition.body if isinstance(node, ast.FunctionDef)]
    if definition.name == "Params":
        functions = [node for node in functions if node.name != "section"]
    for function in functions:
        assert ["model_validator" in names_in(decorator) for decorator in function.decorator_list] == [True]
        returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
        assert {ast.unparse(value) for value in returned if value is not None} == {"self"}
    others = [node for node in definition.body if not isinstance(node, ast.FunctionDef | ast.AnnAssign | ast.Expr)]
    assert [ast.unparse(node).partition(" ")[0] for node in others] in ([], ["model_config"])


def test_functions_read_the_file_or_check_a_value() -> None:
    functions = {node.name for node in TREE.body if isinstance(node, ast.FunctionDef)} - {
        "read_params",
        "_listed_faults",
    }
    checks = re.compile("Validator|Discriminator")
    calls = [node for node in ast.walk(TREE) if isinstance(node, ast.Call) and checks.search(ast.unparse(node.func))]
    # What fills in a recipe's values lies in tasks/params/recipes.py, on which stages depend.
    used = {name for call in calls for argument in call.args for name in names_in(argument)}
    assert functions == used - {"with_recipe"}
