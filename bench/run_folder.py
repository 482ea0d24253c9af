"""A folder in which stages run, with the pipeline's params for data in another folder."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from bench.processes import ROOT, Cost, cost_of

STAGES = ("ingest", "validate", "split", "records")


def prepare(folder: Path, data: Path, sections: Mapping[str, Mapping[str, object]] | None = None) -> None:
    """Write `folder`/params.yaml: the project's own, for annotations and images in `data`, changed by `sections`."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["ingest"] |= {"source": str(data), "images": str(data), "format": "auto"}
    for name, section in (sections or {}).items():
        params[name] |= section
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


def stage(folder: Path, name: str) -> Cost:
    """The cost of `python -m tasks NAME` in a prepared folder."""
    return cost_of(["-m", "tasks", name], folder)
