"""The pipeline's own stages, run for a study: which ones, with which params, by which version of the code."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tasks.errors import ParamsError
from tasks.ground.files import sha256_of
from tasks.params import Params, read_params
from tasks.stages.table import Figures, run_stage

ROOT = Path(__file__).parents[1]
PARAMS = ROOT / "studies" / "params.yaml"
DATA_STAGES = ("ingest", "validate", "split", "records")
TRAINING_STAGES = ("checkpoint", "configure", "train")
# Values that differ from those of a params file, section by section.
Changes = Mapping[str, Mapping[str, object]]
# What decides the result of a run beside its own values.
_CODE = (
    *("studies/params.yaml", "tasks/**/*.py", "weights/*.npz"),
    *("studies/stages.py", "studies/last_weights.py", "studies/trials/run.py"),
)


def run_stages(names: Sequence[str], params: Params) -> Figures:
    """Run stages of the pipeline's table one after another in this process; the figures of the last one.

    Raises:
        PipelineError: as the stages raise it.
    """
    figures: Figures = {}
    for name in names:
        print(f"running the stage {name}", flush=True)
        figures = run_stage(name, params)
    return figures


def prepare_data(name: str, folder: Path) -> None:
    """Write data/`name`/records, from the annotations and images in `folder`, with studies/params.yaml.

    Raises:
        PipelineError: as the stages raise it.
    """
    data = Path("data") / name
    source = {"source": str(folder), "images": str(folder), "format": "auto"}
    run_stages(DATA_STAGES, write_params(PARAMS, data, data, {"ingest": source}))


def write_params(base: Path, folder: Path, data: Path, changes: Changes) -> Params:
    """Write `folder`/params.yaml: the params in `base` with `changes`, and every path in a folder of this run's own.

    Args:
        base: the params file to start from.
        folder: all paths lie below it, except those below `data/`.
        data: takes the place of `data/` in paths.
        changes: the values that differ.

    Raises:
        ParamsError: the pipeline has no such section or key.
    """
    content = yaml.safe_load(base.read_text(encoding="utf-8"))
    for section, values in changes.items():
        if section not in content:
            raise ParamsError(f"{base}: no section `{section}`; there are: {', '.join(content)}")
        content[section] = merged(content[section], values)
    content["paths"] = {name: str(_moved(Path(path), folder, data)) for name, path in content["paths"].items()}
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "params.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return read_params(file)


def merged(content: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`content` with `changes`; of a mapping within, such as `augment`, only the keys that differ need be given."""
    both = dict(content)
    for key, value in changes.items():
        own = content.get(key)
        both[key] = merged(own, value) if isinstance(own, Mapping) and isinstance(value, Mapping) else value
    return both


def _moved(path: Path, folder: Path, data: Path) -> Path:
    return data / path.relative_to("data") if path.is_relative_to("data") else folder / path


def code_version(*more: str) -> str:
    """A hash of everything that decides a run's result except its own values.

    Args:
        more: patterns of further files, relative to the project's folder.
    """
    files = sorted({path for pattern in (*_CODE, *more) for path in ROOT.glob(pattern)})
    lines = [f"{path.relative_to(ROOT).as_posix()} {sha256_of(path)}" for path in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
