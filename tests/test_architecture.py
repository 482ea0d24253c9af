"""docs/architecture.md names rooms, modules and functions that exist."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/architecture.md").read_text()
# Step, module, functions: one row of the table of a photo's way.
STEPS = re.findall(r"^\| \w* ?\| `(tasks/[\w/]+\.py)` \| ((?:`\w+`(?:, )?)+) \|", PAGE, re.MULTILINE)


def layers() -> list[set[str]]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return [set(re.findall(r"\w+", layer)) for layer in contracts[0]["layers"]]


def test_every_room_has_a_row_with_its_layer() -> None:
    rows = re.findall(r"^\| +(\d+) \| `(\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted((str(number), room) for number, rooms in enumerate(layers(), 1) for room in rooms)


def test_every_room_is_in_the_picture() -> None:
    picture = (ROOT / "docs/rooms.svg").read_text()
    assert {room for rooms in layers() for room in rooms} <= set(re.findall(r">(\w+)</text>", picture))


@pytest.mark.parametrize(("module", "functions"), STEPS, ids=[module for module, _ in STEPS])
def test_every_function_on_the_way_of_a_photo_exists(module: str, functions: str) -> None:
    body = ast.parse((ROOT / module).read_text()).body
    defined = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert set(re.findall(r"\w+", functions)) <= defined


def test_every_path_on_the_page_exists() -> None:
    paths = set(re.findall(r"`((?:tasks|tests|docs|studies|presets|bench|flows)/[\w/.]*)`", PAGE))
    assert len(paths) > 30
    assert {path for path in paths if not (ROOT / path).exists()} == set()
