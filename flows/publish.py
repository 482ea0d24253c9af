"""What a run shows in Prefect's pages: figures with their change, curves as pictures, progress, the report."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from prefect.artifacts import (
    create_image_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from tasks.artifacts.evaluation import HEADLINES
from tasks.artifacts.precision_recall import read_precision_recall
from tasks.model.variants import VARIANTS
from tasks.params import PathParams, read_params
from tasks.report_page.curves import curve_svg, precision_recall_svg, read_curve

# The figures of the table, by their keys in the metrics files; in this order.
_TITLES = {
    **{f"saved_model.{name}": f"{name}, SavedModel" for name in HEADLINES},
    **{f"variants.{name}.mAP": f"mAP, {name}" for name in VARIANTS},
    "loss": "training loss",
    "best_mAP": "validation mAP",
    "images": "test images",
}
_PERCENT = re.compile(r"^\S[^|]*?:\s+(\d+)%\|")


@dataclass(frozen=True)
class FigureRow:
    """A figure of the run, of the last commit, and the change; None where there is none."""

    figure: str
    now: float | None
    committed: float | None
    change: float | None


def publish(root: Path) -> None:
    """Make the artifacts of the finished run in the folder `root`; a missing file has none.

    Raises:
        PipelineError: a file cannot be read.
    """
    paths = read_params(root / "params.yaml").paths
    rows = figure_rows(_metrics_diff(root, (paths.metrics_evaluate, paths.metrics_train)))
    if rows:
        create_table_artifact(
            table=[asdict(row) for row in rows],
            key="metrics",
            description="Figures, and the change since the last commit",
        )
    for key, svg in _pictures(root, paths).items():
        create_image_artifact(image_url=as_image(svg), key=key, description=key.replace("-", " "))
    page = (root / paths.report / "index.html").resolve()
    if page.is_file():
        create_markdown_artifact(key="report", markdown=f"The report is the file `{page}` on the worker's machine.")


def figure_rows(diff: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> list[FigureRow]:
    """The figures that have a title, in their order.

    Args:
        diff: by file, figure, and `new`, `old` or `diff`: what `dvc metrics diff --all --json` prints.
    """
    values = {key: entry for figures in diff.values() for key, entry in figures.items()}
    return [
        FigureRow(title, *(_rounded(values[key].get(name)) for name in ("new", "old", "diff")))
        for key, title in _TITLES.items()
        if key in values
    ]


def as_image(svg: str) -> str:
    """A drawing as an address that contains it; dark on white, because it cannot use the colours of Prefect's page."""
    opaque = str(svg).replace("currentColor", "#222").replace("<svg ", '<svg style="background:#fff" ', 1)
    return "data:image/svg+xml;base64," + base64.b64encode(opaque.encode()).decode()


def progress_watcher(name: str) -> Callable[[str], None]:
    """A function to call with each line of a stage: it makes a progress artifact from progress bars, and updates it."""
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
    """The percentage that a progress bar's line shows; None for any other line."""
    match = _PERCENT.match(line)
    return float(match[1]) if match else None


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _rounded(value: float | None) -> float | None:
    return round(value, 4) if isinstance(value, float) else value


def _metrics_diff(root: Path, files: Iterable[Path]) -> dict[str, dict[str, dict[str, float | None]]]:
    targets = [file.as_posix() for file in files]
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "metrics", "diff", "--all", "--json", "--targets", *targets],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    content: dict[str, dict[str, dict[str, float | None]]] = json.loads(done.stdout) if done.returncode == 0 else {}
    return content


def _pictures(root: Path, paths: PathParams) -> dict[str, str]:
    pictures: dict[str, str] = {}
    for key, table in (("training-loss", "train/loss.tsv"), ("validation-map", "val/mAP.tsv")):
        curve = read_curve(root / paths.plots_train / "plots" / "metrics" / table)
        if curve:
            pictures[key] = curve_svg(curve, key, label=key, colour="#0b63b3", noisy=key == "training-loss")
    points = read_precision_recall(root / paths.plots_evaluate)
    if points:
        pictures["precision-recall"], _ = precision_recall_svg(points, "precision-recall", {})
    return pictures
