"""Values for one run, written into params.yaml while it runs; taken back if it fails, kept if it ends well.

Kept, because dvc.lock then speaks of them: taken back, `dvc status` would call everything changed. The original stands
in `params.yaml.before-run` meanwhile, so that a run that was killed is tidied up by the next one.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dvc.utils.serialize import modify_yaml

from tasks.errors import ParamsError
from tasks.params import read_params

_KEPT_AS = ".before-run"


@contextmanager
def overridden(root: Path, values: Mapping[str, Any]) -> Iterator[None]:
    """params.yaml with `values`, such as `{"train.steps": 500}`; comments and order stay.

    Raises:
        ParamsError: a key is not in params.yaml, or its value is not allowed; nothing was changed.
    """
    path = root / "params.yaml"
    kept = path.with_name(path.name + _KEPT_AS)
    put_back(root)
    if not values:
        yield
        return
    kept.write_bytes(path.read_bytes())
    try:
        _write(path, values)
        read_params(path)
        yield
    except BaseException:
        put_back(root)
        raise
    kept.unlink()


def put_back(root: Path) -> None:
    """Undo what a killed run left in params.yaml; nothing to do is fine."""
    path = root / "params.yaml"
    kept = path.with_name(path.name + _KEPT_AS)
    if kept.exists():
        kept.replace(path)


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
                    raise ParamsError(f"{key}: no such key in {path.name}; see there for those that exist")
                place[last] = value
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
