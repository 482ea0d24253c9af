"""What differs between two runs, by side: what made the data, and what made the detector of them.

The records are the border. The stages up to `records` make the data; those after it make and measure the detector, and
read none of the params of the stages before. Code is what dvc.lock says each result was made with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from tasks.comparison.revisions import changed_params
from tasks.comparison.run import Run, locked_stages
from tasks.ground.dvc_cache import locked_dependencies, locked_outputs

Side = Literal["data", "params", "neither"]
_SIDES: tuple[Side, ...] = get_args(Side)
# (section.key, before, after)
ChangedKey = tuple[str, object, object]

DATA_SECTIONS = ("sample", "ingest", "validate", "split", "records")
DATA_STAGES = DATA_SECTIONS
# They fill and measure the detector. `checkpoint` is one of them, but depends on no data: its result is copied.
DETECTOR_STAGES = ("configure", "train", "export", "evaluate")
_PARAM_STAGES = ("checkpoint", *DETECTOR_STAGES)
# No figure depends on these.
_NEITHER_SECTIONS = ("report",)
_NEITHER_KEYS = frozenset({"records.workers", "records.scheduler", "evaluate.intended_use"})


@dataclass(frozen=True)
class Factors:
    """What differs between two runs.

    Attributes:
        keys: the params that differ, by side.
        code: the files and folders of code that differ, by side; None where a run has no dvc.lock.
        data_changed: whether images, boxes, splits or records differ.
    """

    keys: Mapping[Side, Sequence[ChangedKey]]
    code: Mapping[Side, Sequence[str]] | None
    data_changed: bool

    @property
    def params_changed(self) -> bool:
        """Whether the params of the detector, or the code that made it, differ."""
        return bool(self.keys["params"] or (self.code and self.code["params"]))

    @property
    def params_name(self) -> str:
        """What the other side than the data is called: `params`, `code`, or `params and code`."""
        names = ["params"] if self.keys["params"] or not self.params_changed else []
        return " and ".join([*names, *(["code"] if self.code and self.code["params"] else [])])

    @property
    def reads_model_with_data(self) -> bool:
        """Whether `model`, which `validate` reads too, differs."""
        return any(key.startswith("model.") for key, _, _ in self.keys["params"])


def factors_of(before: Run, after: Run, *, data_changed: bool) -> Factors:
    """What differs between two runs; `data_changed` says whether their images, boxes or splits do."""
    changed = changed_params(before, after)
    keys = {side: tuple(each for each in changed if side_of(each[0]) == side) for side in _SIDES}
    records = any(key.startswith("records.") for key, _, _ in keys["data"])
    return Factors(keys, changed_code(before, after), data_changed or records)


def side_of(key: str) -> Side:
    """Which side `section.key` of params.yaml is on."""
    section = key.partition(".")[0]
    if key in _NEITHER_KEYS or section in _NEITHER_SECTIONS:
        return "neither"
    return "data" if section in DATA_SECTIONS else "params"


def changed_code(before: Run, after: Run) -> Mapping[Side, Sequence[str]] | None:
    """The files and folders of code that the stages of each side were run with, where they differ.

    None where a run has no dvc.lock, so that nobody can tell.
    """
    if not (locked_stages(before) and locked_stages(after)):
        return None
    return {
        "data": _differing(code_of(before, DATA_STAGES), code_of(after, DATA_STAGES)),
        "params": _differing(code_of(before, _PARAM_STAGES), code_of(after, _PARAM_STAGES)),
        "neither": (),
    }


def code_of(run: Run, stages: Sequence[str]) -> dict[str, str]:
    """The MD5 of each file or folder of code that `stages` of `run` were run with, by its path, from its dvc.lock."""
    locked = locked_stages(run)
    made = {path for stage in locked.values() for path, _ in locked_outputs(stage)}
    section = run.params.get("ingest")
    read = [section.get("source"), section.get("images")] if isinstance(section, dict) else []
    return {
        path: md5
        for name in stages
        for path, md5 in locked_dependencies(locked.get(name, {}))
        if path not in made and path not in read
    }


def _differing(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path)))
