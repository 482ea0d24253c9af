"""The presets are whole params files that differ from the project's own only where their headings say."""

import re
from pathlib import Path
from typing import Any

import pytest

from tasks.model.definitions import find_model
from tasks.params import read_params

ROOT = Path(__file__).parents[1]
PRESETS = sorted((ROOT / "presets").glob("*.yaml"))


def leaves(content: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(content, dict) or not content:
        return {name: content}
    return {
        key: leaf for own, value in content.items() for key, leaf in leaves(value, f"{name}.{own}"[not name :]).items()
    }


def values(file: Path) -> dict[str, Any]:
    """Every value of a params file by dotted key, as the pipeline takes it: with what its recipe gives."""
    return leaves(read_params(file).model_dump(mode="json", by_alias=True))


def heading(preset: Path) -> str:
    comments = [line[2:] for line in preset.read_text().splitlines() if line.startswith("# ")]
    return " ".join(comments)


def test_every_system_has_a_preset() -> None:
    assert {preset.stem.split("_")[0] for preset in PRESETS} == {"guns", "ppe", "ducks"}


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.stem)
def test_a_preset_differs_from_params_yaml_only_where_its_heading_says(preset: Path) -> None:
    model = read_params(preset).model
    assert find_model(model.name, model.side_px)
    ours, own = (values(path) for path in (preset, ROOT / "params.yaml"))
    assert ours.keys() == own.keys()
    stated = re.search(r"explains every key, in: (.*)\.$", heading(preset))
    assert stated
    assert set(stated[1].split(", ")) == {key for key in ours if ours[key] != own[key]}


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.stem)
def test_a_preset_says_how_to_use_it(preset: Path) -> None:
    assert f"cp presets/{preset.name} params.yaml" in heading(preset)
    assert (ROOT / "docs/systems.md").is_file()
