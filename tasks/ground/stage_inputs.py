"""What a stage depends on, noted when it starts and compared when it ends.

DVC takes the hashes of a stage's params and dependencies after its command has ended. What was edited meanwhile would
stand in dvc.lock as if it had been used, and `dvc status` would call the result up to date.

Code is compared by content, everything else by size and time of change: data can be large. Hidden files are no input.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import yaml

from tasks.errors import PipelineError
from tasks.ground.files import CODE, sha256_of
from tasks.ground.walk import files_below

# A file's content hash, or its size and time of change: unequal where the file has changed.
Mark: TypeAlias = str | tuple[int, int]
Marks: TypeAlias = dict[str, Mark]

_SHOWN = 3


def mark_code() -> Marks:
    """A hash of every file of the pipeline's code; to be called before the code is imported."""
    return {path: sha256_of(Path(path)) for path, _ in _files(CODE)}


class StageInputs:
    """The params and dependencies that dvc.yaml names for one stage, as they are now."""

    def __init__(self, stage: str, params_file: Path, code: Marks) -> None:
        """Note what `stage` depends on; where no dvc.yaml names it, nothing.

        Args:
            stage: its key in dvc.yaml, which is read from the working directory.
            params_file: the file that the stage reads its params from.
            code: `mark_code()`, from before the code was imported.
        """
        content = _read_mapping(params_file)
        entry = _entry(_read_mapping(Path("dvc.yaml")), stage)
        self._stage = stage
        self._params_file = params_file
        self._keys = tuple(key for key in _list(entry, "params") if isinstance(key, str))
        self._values = {key: _value(content, key) for key in self._keys}
        self._deps = tuple(Path(_resolved(dep, content)) for dep in _list(entry, "deps") if isinstance(dep, str))
        self._marks = self._mark(code)

    def refuse_changed(self) -> None:
        """Compare with how it was.

        Raises:
            PipelineError: something has changed: the stage's result belongs neither to how it was nor to how it is.
        """
        changes = [*self._changed_values(), *self._changed_files()]
        if not changes:
            return
        more = f" and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
        raise PipelineError(
            f"changed while the stage ran: {'; '.join(changes[:_SHOWN])}{more}; the result may be of either, "
            "so it is not recorded: run `dvc repro` again"
        )

    def _changed_values(self) -> Iterator[str]:
        try:
            content = _read_mapping(self._params_file, strict=True)
        except ValueError:
            yield f"{self._params_file} (it cannot be read any more)"
            return
        for key, before in self._values.items():
            after = _value(content, key)
            if after != before:
                yield from _differences(key, before, after)

    def _changed_files(self) -> Iterator[str]:
        after = self._mark(mark_code())
        for path in sorted(self._marks.keys() | after.keys()):
            if self._marks.get(path) != after.get(path):
                yield os.path.relpath(path) + (
                    " (new)" if path not in self._marks else " (removed)" if path not in after else ""
                )

    def _mark(self, code: Marks) -> Marks:
        marks: Marks = {}
        for folder in map(Path.absolute, self._deps):
            if folder.resolve().is_relative_to(CODE):
                own = folder.resolve()
                marks |= {path: mark for path, mark in code.items() if Path(path) == own or own in Path(path).parents}
            else:
                marks |= {path: (facts.st_size, facts.st_mtime_ns) for path, facts in _files(folder)}
        return marks


def _files(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    """A file, or every file below a folder; nothing where there is nothing, which differs from what was there."""
    for file in files_below(path) if path.is_dir() else [path]:
        if file.suffix not in (".pyc", ".partial"):
            with suppress(OSError):
                yield str(file), file.stat()


def _read_mapping(path: Path, *, strict: bool = False) -> Mapping[str, object]:
    """A YAML file's keys; {} for one that cannot be read, unless `strict`: who needs it says what is wrong."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe one
    except (OSError, ValueError, RecursionError, LookupError, AttributeError, TypeError, yaml.YAMLError) as error:
        if strict:
            raise ValueError(f"{path}: {error}") from error
        return {}
    return content if isinstance(content, dict) else {}


# libyaml's, where PyYAML was built with it: ten times as fast.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _entry(dvc_yaml: Mapping[str, object], stage: str) -> Mapping[str, object]:
    stages = dvc_yaml.get("stages")
    entry = stages.get(stage) if isinstance(stages, dict) else None
    return entry if isinstance(entry, dict) else {}


def _list(entry: Mapping[str, object], key: str) -> list[object]:
    value = entry.get(key)
    return value if isinstance(value, list) else []


def _value(content: Mapping[str, object], key: str) -> object:
    """The value of `a.b` in {a: {b: value}}; None where there is none."""
    value: object = content
    for name in key.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _resolved(dep: str, content: Mapping[str, object]) -> str:
    """`dep` with the params that it refers to as `${a.b}`."""
    return re.sub(r"\$\{([\w.]+)\}", lambda found: str(_value(content, found[1])), dep)


def _differences(key: str, before: object, after: object) -> Iterator[str]:
    """The keys that differ below `key`, with their values."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys(), key=str):
            if before.get(name) != after.get(name):
                yield from _differences(f"{key}.{name}", before.get(name), after.get(name))
    else:
        yield f"{key} ({before} -> {after})"
