"""The pages of `dvc plots show` and `diff`, in a real browser: names of classes are text there."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.artifacts.precision_recall import CurvePoint, write_precision_recall
from tests.stages.split.splitting import image, run

ROOT = Path(__file__).parents[3]
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not BROWSER, reason="no Chromium here; `apt install chromium` brings one"),
]
# Each would name the page, had it run.
NAMES = (
    "cat</script><script>document.title='OURS'</script>",
    "<!--<script>",
    "<img src=x onerror=\"document.title='OURS'\">",
    "{plot_divs}</SCRIPT ><svg onload=document.title='OURS'>",
    "salt & <pepper>",
)
WHERE = "plots/data", "plots/evaluate"


def call(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def dvc(folder: Path, *arguments: str) -> None:
    call(folder, sys.executable, "-m", "dvc", *arguments)


def title_of(page: Path) -> str:
    """What the page calls itself when its scripts have run."""
    profile = f"--user-data-dir={page.parent / 'profile'}"
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000", profile, "--dump-dom"]
    shown = subprocess.run(
        [BROWSER, *options, page.as_uri()], capture_output=True, text=True, check=True, timeout=120
    ).stdout
    return shown.partition("<title>")[2].partition("</title>")[0]


def write_plots(project: Path, work: Path, count: int) -> None:
    images = [image(i, (NAMES[i % len(NAMES)],)) for i in range(count)]
    work.mkdir()
    run(work, images, classes=NAMES)
    shutil.rmtree(project / "plots", ignore_errors=True)
    shutil.copytree(work / "plots", project / WHERE[0])
    (project / WHERE[1]).mkdir()
    write_precision_recall(
        project / WHERE[1], [CurvePoint(class_=name, recall=r, precision=1) for name in NAMES for r in (0, 1)]
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the plots of dvc.yaml, its classes named by somebody hostile, and an earlier state of it."""
    project = tmp_path_factory.mktemp("project")
    (project / "dvc.yaml").write_text(
        "plots:" + (ROOT / "dvc.yaml").read_text(encoding="utf-8").partition("\nplots:")[2]
    )
    shutil.copyfile(ROOT / "params.yaml", project / "params.yaml")
    call(project, "git", "init", "-q")
    dvc(project, "init", "-q")
    write_plots(project, tmp_path_factory.mktemp("earlier") / "split", 20)
    call(project, "git", "add", "-A", ".")
    call(project, "git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "earlier")
    write_plots(project, tmp_path_factory.mktemp("now") / "split", 40)
    return project


@pytest.mark.parametrize(
    "command", [("show",), ("diff",), ("show", "plots/evaluate/precision_recall.json")], ids=" ".join
)
def test_a_class_name_runs_nothing_in_the_page_of_dvc_plots(project: Path, command: tuple[str, ...]) -> None:
    dvc(project, "plots", *command, "--out", "page")
    page = project / "page" / "index.html"
    assert "salt &" in page.read_text(encoding="utf-8")
    assert title_of(page) == "DVC Plot"
