"""A folder to run stages in: the pipeline's params over data that lie elsewhere."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bench.processes import ROOT, Cost, cost_of

STAGES = ("ingest", "validate", "split", "records")


def prepare(folder: Path, data: Path, sections: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Write `folder`/params.yaml: the project's own, but with the annotations and images in `data`."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["ingest"] |= {"source": str(data), "images": str(data), "format": "auto"}
    for name, section in (sections or {}).items():
        params[name] |= section
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


def stage(folder: Path, name: str) -> Cost:
    """What `python -m tasks NAME` takes in a prepared folder."""
    return cost_of(["-m", "tasks", name], folder)
