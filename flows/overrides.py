"""Values for one run, written into params.yaml while it runs; undone if it fails, kept if it ends well.

They are kept because dvc.lock then holds them: undone, `dvc status` would report everything as changed. Meanwhile
`params.yaml.before-run` has what was written, and in place of what: the next run cleans up after a killed one, and
takes back nothing that was edited by hand since.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.representer import RoundTripRepresenter

from tasks.errors import ParamsError
from tasks.ground.files import replacing, write_json
from tasks.params import read_params

_CHANGES = ".before-run"


class _Missing:
    """The type of `_MISSING`, which stands for the value of a key that is not there."""


_MISSING = _Missing()


@dataclass(frozen=True)
class Changes:
    """What a run wrote into params.yaml.

    Attributes:
        original: the text before.
        written: the text that the run wrote.
        before: the values in `original`, by key.
        after: the values in `written`, by key.
    """

    original: str
    written: str
    before: dict[str, Any]
    after: dict[str, Any]


class _Representer(RoundTripRepresenter):
    """Writes null as it is written by hand, not as nothing."""


_Representer.add_representer(
    type(None), lambda representer, _: representer.represent_scalar("tag:yaml.org,2002:null", "null")
)


@contextmanager
def params_override(root: Path, values: Mapping[str, Any], log: Callable[[str], None]) -> Iterator[None]:
    """Set `values` ("train.steps": 500) in params.yaml; first undo what a killed run left.

    If the block raises, they are undone: a run that failed leaves params.yaml as it was, but for what was edited by
    hand meanwhile. Comments stay.

    Args:
        root: the project's folder.
        values: by key.
        log: called with what was taken back, and what was not.

    Raises:
        ParamsError: params.yaml lacks a key, or its value is not allowed; nothing was changed.
    """
    path = root / "params.yaml"
    restore_params(root, log)
    if not values:
        yield
        return
    changes = _changes(path, values)
    write_json(_changes_file(path), asdict(changes))
    try:
        _replace(path, changes.written)
        read_params(path)
        yield
    except BaseException:
        restore_params(root, log)
        raise
    _changes_file(path).unlink()


def restore_params(root: Path, log: Callable[[str], None]) -> None:
    """Undo what a failed or killed run left in params.yaml, if anything; what was edited since stays.

    Raises:
        ParamsError: params.yaml is broken, or what the run wrote is not known; nothing was changed.
    """
    path = root / "params.yaml"
    file = _changes_file(path)
    if not file.exists():
        return
    try:
        changes = Changes(**json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        raise ParamsError(
            f"{file}: what a run that was killed had set in {path.name} cannot be read from it: look at the values in "
            f"{path.name} yourself, then remove {file.name}"
        ) from None
    text = path.read_text(encoding="utf-8")
    if text == changes.written:
        _replace(path, changes.original)
        log(f"{path.name}: taken back what a run that did not end well had set: {', '.join(changes.after)}")
    elif text != changes.original:
        _take_back(path, changes, log)
    file.unlink()


def _take_back(path: Path, changes: Changes, log: Callable[[str], None]) -> None:
    """Undo value by value, where the run's value still stands."""
    text = path.read_text(encoding="utf-8")
    keys = ", ".join(changes.after)
    try:
        now = {key: _value(text, key) for key in changes.after}
        back = {key: value for key, value in changes.before.items() if now[key] == changes.after[key]}
        _replace(path, _text_with(text, back))
    except YAMLError as error:
        raise ParamsError(
            f"{path}: not valid YAML any more; mend it, and the next run takes back what one that did not end well had "
            f"set there ({keys}): {error}"
        ) from error
    edited = ", ".join(key for key in changes.after if key not in back)
    log(
        f"{path.name}: taken back, of what a run that did not end well had set: {', '.join(back) or 'nothing'}"
        + (f"; edited since, and kept: {edited}" if edited else "")
    )


def _changes_file(path: Path) -> Path:
    return path.with_name(path.name + _CHANGES)


def _changes(path: Path, values: Mapping[str, Any]) -> Changes:
    original = path.read_text(encoding="utf-8")
    missing = [key for key in values if _value(original, key) is _MISSING]
    if missing:
        above = {key.rpartition(".")[0] for key in missing}
        whole = sorted(key for key in above if key and not isinstance(_value(original, key), dict | _Missing))
        hint = f"; {', '.join(whole)} has no keys there: set all of it" if whole else ""
        raise ParamsError(f"{', '.join(missing)}: no such key in {path.name}, which explains all that exist{hint}")
    written = _text_with(original, values)
    before, after = ({key: _value(text, key) for key in values} for text in (original, written))
    return Changes(original, written, before, after)


def _value(text: str, key: str) -> Any:
    """The value of a key such as `train.steps`; _MISSING where there is none."""
    place = YAML(typ="safe").load(text)
    for part in key.split("."):
        if not isinstance(place, dict) or part not in place:
            return _MISSING
        place = place[part]
    return place


def _text_with(text: str, values: Mapping[str, Any]) -> str:
    """The text with these values, comments and all; every key exists."""
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.preserve_quotes = True
    yaml.width = 1000
    params = yaml.load(text)
    for key, value in values.items():
        *sections, last = key.split(".")
        place = params
        for section in sections:
            place = place[section]
        place[last] = value
    stream = io.StringIO()
    yaml.dump(params, stream)
    return stream.getvalue()


def _replace(path: Path, text: str) -> None:
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")
