"""Values for one run, written into params.yaml while it runs; undone if it fails, kept if it ends well.

They are kept because dvc.lock then holds them: undone, `dvc status` would report everything as changed. The original is
in `params.yaml.before-run` meanwhile, so that the next run can clean up after a killed one.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dvc.utils.serialize import modify_yaml

from tasks.errors import ParamsError
from tasks.params import read_params

_ORIGINAL = ".before-run"


@contextmanager
def params_override(root: Path, values: Mapping[str, Any]) -> Iterator[None]:
    """Put `values`, such as `{"train.steps": 500}`, into params.yaml; comments and order stay.

    Raises:
        ParamsError: params.yaml lacks a key, or its value is not allowed; nothing was changed.
    """
    path = root / "params.yaml"
    original = path.with_name(path.name + _ORIGINAL)
    restore_params(root)
    if not values:
        yield
        return
    original.write_bytes(path.read_bytes())
    try:
        _write(path, values)
        read_params(path)
        yield
    except BaseException:
        restore_params(root)
        raise
    original.unlink()


def restore_params(root: Path) -> None:
    """Undo what a killed run left in params.yaml, if anything."""
    path = root / "params.yaml"
    original = path.with_name(path.name + _ORIGINAL)
    if original.exists():
        original.replace(path)


def _write(path: Path, values: Mapping[str, Any]) -> None:
    beside = path.with_name(f"{path.name}.partial")
    beside.write_bytes(path.read_bytes())
    try:
        with modify_yaml(str(beside)) as params:
            for key, value in values.items():
                *sections, last = key.split(".")
                place = params
                for section in sections:
                    place = place.get(section) if isinstance(place, dict) else None
                if not isinstance(place, dict) or last not in place:
                    raise ParamsError(f"{key}: no such key in {path.name}, which explains all that exist")
                place[last] = value
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
