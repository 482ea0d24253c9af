"""What a stage depends on, noted when it starts and compared when it ends.

DVC takes the hashes of a stage's params and dependencies after its command has ended. What was edited meanwhile would
stand in dvc.lock as if it had been used, and `dvc status` would call the result up to date.

Code is compared by content, everything else by size and time of change: data can be large. Hidden files are no input.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from tasks.errors import PipelineError
from tasks.ground.dvc_yaml import entries, read_mapping, resolved, stages_of, value_at
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
        params = _mapping_or_empty(params_file)
        entry = stages_of(_mapping_or_empty(Path("dvc.yaml"))).get(stage, {})
        self._params_file = params_file
        self._values = {key: value_at(params, key) for key, _ in entries(entry, "params")}
        deps = (resolved(dep, params) for dep, _ in entries(entry, "deps"))
        self._deps = tuple(dep for dep in deps if dep is not None)
        self._marks = self._mark(code)

    def refuse_changed(self) -> None:
        """Compare with how it was.

        Raises:
            PipelineError: something has changed: the stage's result belongs neither to how it was nor to how it is.
        """
        self._refuse([*self._changed_values(), *self._changed_files()])

    def refuse_changed_params(self) -> None:
        """Compare the params alone; to be called when the stage has read them: an edit may have come between.

        Raises:
            PipelineError: a value has changed.
        """
        self._refuse(list(self._changed_values()))

    def _refuse(self, changes: list[str]) -> None:
        if not changes:
            return
        more = f" and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
        raise PipelineError(
            f"changed while the stage ran: {'; '.join(changes[:_SHOWN])}{more}; the result may be of either, "
            "so it is not recorded: run `dvc repro` again"
        )

    def _changed_values(self) -> Iterator[str]:
        try:
            params = read_mapping(self._params_file)
        except ValueError:
            yield f"{self._params_file} (it cannot be read any more)"
            return
        for key, before in self._values.items():
            after = value_at(params, key)
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


def _mapping_or_empty(path: Path) -> Mapping[str, object]:
    """What cannot be read is left to those who need it, and who say what is wrong."""
    try:
        return read_mapping(path)
    except ValueError:
        return {}


def _differences(key: str, before: object, after: object) -> Iterator[str]:
    """The keys that differ below `key`, with their values."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys(), key=str):
            if before.get(name) != after.get(name):
                yield from _differences(f"{key}.{name}", before.get(name), after.get(name))
    else:
        yield f"{key} ({before} -> {after})"
