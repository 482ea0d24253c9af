"""metrics/headline.json, as DVC prints it."""

import json
import subprocess
import sys
from pathlib import Path

from tasks.artifacts.evaluation import ClassFigures, Evaluation, ModelFigures, SavedModelFigures
from tasks.artifacts.headline import headline_of, write_headline


def evaluation(shift: float = 0.0) -> Evaluation:
    """Figures of five classes, none of which is short when rounded."""
    figure = 0.612345 + shift
    saved_model = SavedModelFigures(
        mean_ap=figure,
        ap50=figure,
        ap75=figure,
        ar100=figure,
        mean_ap_low=figure,
        mean_ap_high=figure,
        precision=figure,
        recall=figure,
        per_class={f"class {i}": ClassFigures(ap=figure + i / 100) for i in range(5)},
    )
    return Evaluation(images=9, saved_model=saved_model, tflite=ModelFigures(mean_ap=figure))


def dvc(*arguments: str, folder: Path) -> list[str]:
    """The lines that DVC prints."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_figures_have_three_digits_and_the_lowest_class_stands_for_all() -> None:
    headline = headline_of(evaluation())
    assert (headline.mean_ap, headline.worst, headline.tflite) == (0.612, 0.612, 0.612)


def test_a_missing_figure_stays_missing() -> None:
    assert set(dict(headline_of(Evaluation())).values()) == {None}


def test_the_metrics_fit_a_terminal_and_begin_with_map(tmp_path: Path) -> None:
    def run(*command: str) -> None:
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    run("git", "init", "--quiet")
    run(sys.executable, "-m", "dvc", "init", "--quiet")
    (tmp_path / "dvc.yaml").write_text("metrics: [metrics/headline.json]\n")
    path = tmp_path / "metrics/headline.json"
    write_headline(path, headline_of(evaluation()))
    assert json.loads(path.read_text())["mAP"] == 0.612
    run("git", "add", "--all")
    run("git", "-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "--quiet", "--message", "run")
    write_headline(path, headline_of(evaluation(0.1)))
    shown = dvc("metrics", "show", folder=tmp_path)
    assert max(map(len, shown)) <= 120
    _, *names = shown[0].split()
    assert names == ["mAP", "mAP50", "mAP75", "mAP_hi", "mAP_lo", "mAR100", "precision", "recall", "tflite", "worst"]
    rows = dvc("metrics", "diff", folder=tmp_path)
    assert [row.split()[1] for row in rows] == ["Metric", *names]
