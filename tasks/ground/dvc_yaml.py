"""dvc.yaml, as far as the pipeline's own code reads it: what a stage depends on and writes, by params.yaml's values."""

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

# libyaml's, where PyYAML was built with it: ten times as fast.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_mapping(path: Path) -> Mapping[str, object]:
    """The keys of a YAML file; {} where it holds something else.

    Raises:
        ValueError: it cannot be read, or is not YAML.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe one
    except (OSError, ValueError, RecursionError, LookupError, AttributeError, TypeError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: {error}") from error
    return content if isinstance(content, dict) else {}


def stages_of(dvc_yaml: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    """The stages by name."""
    stages = dvc_yaml.get("stages")
    if not isinstance(stages, dict):
        return {}
    return {name: entry for name, entry in stages.items() if isinstance(entry, dict)}


def entries(stage: Mapping[str, object], key: str) -> list[tuple[str, Mapping[str, object]]]:
    """The list under `deps`, `outs` or `metrics` of a stage: each entry's name and its settings.

    DVC writes an entry as `name`, or as `name: {setting: value}`.
    """
    listed = stage.get(key)
    named: list[tuple[str, Mapping[str, object]]] = []
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, str):
            named.append((entry, {}))
        elif isinstance(entry, dict):
            named += [(str(name), value if isinstance(value, dict) else {}) for name, value in entry.items()]
    return named


def value_at(params: Mapping[str, object], key: str) -> object:
    """The value of `a.b` in {a: {b: value}}; None where there is none."""
    value: object = params
    for name in key.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def resolved(name: str, params: Mapping[str, object]) -> Path | None:
    """The path that `name` stands for, with the params that it refers to as `${a.b}`; None where one is not a param."""
    keys = re.findall(r"\$\{([^}]*)\}", name)
    if any(value_at(params, key) is None for key in keys):
        return None
    return Path(re.sub(r"\$\{([^}]*)\}", lambda found: str(value_at(params, found[1])), name))
