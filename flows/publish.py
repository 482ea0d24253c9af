"""What a run shows in Prefect's pages: figures with their change, curves as pictures, progress, the report."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.artifacts import (
    create_image_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from tasks.params import PathParams, read_params
from tasks.report_page.curves import curve_svg, precision_recall_svg, read_curve

_HEADLINES = ("mAP", "AP50", "AP75", "AR100")
_SHOWN = {
    **{f"saved_model.{name}": f"{name}, SavedModel" for name in _HEADLINES},
    **{f"tflite.{name}": f"{name}, TFLite" for name in _HEADLINES},
    "loss": "training loss",
    "best_mAP": "validation mAP",
    "images": "test images",
}
_PERCENT = re.compile(r"^\S[^|]*?:\s+(\d+)%\|")


def publish(root: Path) -> None:
    """Make the artifacts of a finished run from what stands in `root`; what it has not written is left out."""
    paths = read_params(root / "params.yaml").paths
    rows = figure_rows(_metrics_diff(root), (paths.metrics_evaluate.as_posix(), paths.metrics_train.as_posix()))
    if rows:
        create_table_artifact(table=rows, key="metrics", description="Figures, and the change since the last commit")
    for key, svg in _pictures(root, paths).items():
        create_image_artifact(image_url=as_image(svg), key=key, description=key.replace("-", " "))
    page = (root / paths.report / "index.html").resolve()
    if page.is_file():
        create_markdown_artifact(key="report", markdown=f"The report is the file `{page}` on the worker's machine.")


def figure_rows(diff: Mapping[str, Any], files: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows of `figure, now, committed, change` from what `dvc metrics diff --all --json` printed."""
    rows = []
    for file in files:
        for key, entry in diff.get(file, {}).items():
            if key in _SHOWN:
                values = {"now": entry.get("new"), "committed": entry.get("old"), "change": entry.get("diff")}
                rows.append({"figure": _SHOWN[key], **{name: _rounded(value) for name, value in values.items()}})
    return sorted(rows, key=lambda row: list(_SHOWN.values()).index(row["figure"]))


def as_image(svg: str) -> str:
    """A drawing as an address that holds it whole; dark on white, since it can't take the page's colours."""
    opaque = str(svg).replace("currentColor", "#222").replace("<svg ", '<svg style="background:#fff" ', 1)
    return "data:image/svg+xml;base64," + base64.b64encode(opaque.encode()).decode()


def progress_watcher(name: str) -> Callable[[str], None]:
    """Takes a stage's lines; the first of a progress bar makes a progress artifact, the next ones move it."""
    artifact: list[UUID] = []

    def watch(line: str) -> None:
        percent = percent_of(line)
        if percent is None:
            return
        if artifact:
            update_progress_artifact(artifact[0], progress=percent, description=line)
        else:
            made = create_progress_artifact(progress=percent, key=f"progress-{_slug(name)}", description=name)
            artifact.append(made if isinstance(made, UUID) else UUID(str(made)))

    return watch


def percent_of(line: str) -> float | None:
    """How far a progress bar's line says it is, in percent; None for any other line."""
    match = _PERCENT.match(line)
    return float(match[1]) if match else None


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def _metrics_diff(root: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "metrics", "diff", "--all", "--json"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    content: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    return content


def _pictures(root: Path, paths: PathParams) -> dict[str, str]:
    pictures: dict[str, str] = {}
    for key, table in (("training-loss", "train/loss.tsv"), ("validation-map", "val/mAP.tsv")):
        curve = read_curve(root / paths.plots_train / "plots" / "metrics" / table)
        if curve:
            pictures[key] = curve_svg(curve, key, label=key, colour="#0b63b3", noisy=key == "training-loss")
    rows = root / paths.plots_evaluate / "precision_recall.json"
    if rows.is_file() and (content := json.loads(rows.read_text(encoding="utf-8"))):
        pictures["precision-recall"], _ = precision_recall_svg(content, "precision-recall", {})
    return pictures
