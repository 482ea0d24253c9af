"""Which run in between: what it is made of, and a key that is another where any of that is."""

import json
import os
from dataclasses import dataclass
from hashlib import sha256

from tasks.comparison.factors import DETECTOR_STAGES, Side, side_of
from tasks.comparison.run import Run, locked_stages, result_path
from tasks.comparison.two_runs import RunResults
from tasks.errors import PipelineError
from tasks.ground.dvc_cache import locked_outputs
from tasks.ground.dvc_yaml import entries, read_mapping, stages_of
from tasks.ground.files import sha256_of
from tasks.ground.walk import files_below


@dataclass(frozen=True)
class Between:
    """A run in between.

    Attributes:
        data: the run whose data it has.
        params: the run whose params and code it has.
    """

    data: RunResults
    params: RunResults


def key_of(between: Between) -> str:
    """16 hexadecimal digits, a hash of all that the run in between is made of."""
    data, params = between.data.run, between.params.run
    parts = {
        "data": [between.data.data_digest, _values(data, "data").get("records"), _locked(data, "records")],
        "params": [_values(params, "params"), params.raw.get("paths")],
        "base": _locked(params, "base"),
        "code": params.commit or _code_digest(params),
    }
    return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _values(run: Run, side: Side) -> dict[str, dict[str, object]]:
    """The params of `run` that are on `side`, by section."""
    return {
        section: {key: value for key, value in values.items() if side_of(f"{section}.{key}") == side}
        for section, values in run.raw.items()
        if section != "paths" and isinstance(values, dict)
    }


def _locked(run: Run, name: str) -> str | None:
    """The MD5 of the result `name` of `paths:` in dvc.lock; None where it does not say."""
    outputs = dict(each for stage in locked_stages(run).values() for each in locked_outputs(stage))
    return outputs.get(result_path(run, name).as_posix())


def _code_digest(run: Run) -> str:
    """Of a folder: a hash of dvc.yaml and of the code that the stages depend on there."""
    file = run.folder / "dvc.yaml"
    try:
        stages = stages_of(read_mapping(file))
    except ValueError as error:
        raise PipelineError(f"{error}; --explain runs stages with the code of this folder") from error
    named = {dep for name in DETECTOR_STAGES for dep, _ in entries(stages.get(name, {}), "deps") if "$" not in dep}
    places = [file, *(run.folder / dep for dep in sorted(named))]
    files = [each for place in places for each in (files_below(place) if place.is_dir() else [place])]
    own = [
        (os.path.relpath(each, run.folder), sha256_of(each))
        for each in files
        if each.suffix != ".pyc" and each.is_file()
    ]
    return sha256(json.dumps(own).encode()).hexdigest()
