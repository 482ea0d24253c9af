"""Checking params.yaml before DVC starts: it removes what stands at a stage's paths before the stage could look."""

from pathlib import Path

from tasks.errors import ParamsError
from tasks.ground.dvc_yaml import entries, read_mapping, stages_of
from tasks.ground.text import print_text
from tasks.lint.paths import refuse_unsafe_paths
from tasks.model.definitions import find_model
from tasks.params import Params, read_params


def check(*, params: Path) -> None:
    """Check keys, values and paths of the file `params`.

    Raises:
        ParamsError: a key is missing, misspelt or out of range, a path lies over what no stage wrote, or what is to be
            read is missing.
        ConfigError: there is no such model, or it cannot have that input size.
    """
    values = read_params(params)
    find_model(values.model.name, values.model.side_px)
    refuse_unsafe_paths(values)
    _refuse_missing(values)
    print_text(f"{params} is valid")


def _refuse_missing(values: Params) -> None:
    """What is read must be there, unless a stage writes it. DVC would name neither key nor remedy."""
    try:
        stages = stages_of(read_mapping(Path("dvc.yaml")))
    # DVC itself reports what is wrong with it.
    except ValueError:
        return
    written = [values.paths.sample, *(Path(out) for stage in stages.values() for out, _ in entries(stage, "outs"))]
    for key in ("source", "images"):
        path = getattr(values.ingest, key)
        if not path.exists() and not any(path.is_relative_to(out) for out in written):
            raise ParamsError(f"ingest.{key}: {path}: no such file or folder; see docs/your-data.md")
