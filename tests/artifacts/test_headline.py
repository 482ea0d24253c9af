"""metrics/headline/, as DVC prints it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.artifacts.evaluation import ClassFigures, Evaluation, ModelFigures, SavedModelFigures
from tasks.artifacts.headline import write_headline
from tasks.model.variants import VARIANTS


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
    return Evaluation(
        images=9, saved_model=saved_model, variants={name: ModelFigures(mean_ap=figure) for name in VARIANTS}
    )


def dvc(*arguments: str, folder: Path) -> list[str]:
    """The lines that DVC prints."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.fixture
def headline(tmp_path: Path) -> Path:
    return tmp_path / "metrics" / "headline"


def test_figures_have_three_digits(headline: Path) -> None:
    write_headline(headline, evaluation())
    assert json.loads((headline / "all.json").read_text())["mAP_lo"] == 0.612
    assert json.loads((headline / "class_class_4.json").read_text()) == {"mAP": 0.652}


def test_a_missing_figure_stays_missing(headline: Path) -> None:
    write_headline(headline, Evaluation())
    assert set(json.loads((headline / "all.json").read_text()).values()) == {None}


@pytest.mark.parametrize(
    ("classes", "files"),
    [
        (["Key", "key"], ["class_Key", "class_key_2"]),
        (["../../etc", "a/b"], ["class__etc", "class_a_b"]),
        (["shiny green leaf", "shiny green leaf 2"], ["class_shiny_green_l", "class_shiny_green_2"]),
        (["ü", "?", "!!"], ["class_ü", "class__", "class___2"]),
        ([str(i) for i in range(11)], []),
    ],
    ids=["case", "paths", "long names", "other letters", "too many classes"],
)
def test_each_class_has_a_short_file_of_its_own(headline: Path, classes: list[str], files: list[str]) -> None:
    model = SavedModelFigures(per_class={name: ClassFigures(ap=0.5) for name in classes})
    write_headline(headline, Evaluation(saved_model=model))
    assert sorted(path.stem for path in headline.glob("class_*")) == sorted(files)


def test_the_metrics_fit_a_terminal_and_a_screen(tmp_path: Path, headline: Path) -> None:
    def run(*command: str) -> None:
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    run("git", "init", "--quiet")
    run(sys.executable, "-m", "dvc", "init", "--quiet")
    (tmp_path / "dvc.yaml").write_text("metrics: [metrics/headline]\n")
    write_headline(headline, evaluation())
    run("git", "add", "--all")
    run("git", "-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "--quiet", "--message", "run")
    write_headline(headline, evaluation(0.1))
    table = dvc("metrics", "show", folder=tmp_path)
    assert max(map(len, table)) <= 120
    assert [row.split()[0] for row in table[1:3]] == [
        "metrics/headline/all.json",
        "metrics/headline/class_class_0.json",
    ]
    rows = [row.split()[:2] for row in dvc("metrics", "diff", folder=tmp_path)[1:]]
    assert len(rows) == 18
    of_all = [name for path, name in rows if path.endswith("all.json")]
    assert of_all == ["AP50", "AP75", "AR100", "mAP", "mAP_hi", "mAP_lo", "precision", "recall"]
