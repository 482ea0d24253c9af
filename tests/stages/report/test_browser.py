"""The report page in a real browser: the slider, the filters, the order, the cells of the confusion matrix, links."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tasks.artifacts.analysis import write_analysis
from tasks.metrics.analysis import analysis
from tasks.metrics.matching import match_detections
from tests.metrics.cases import detect
from tests.stages.report.report_run import ELSEWHERE, SQUARE, Run

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not BROWSER, reason="no Chromium here; `apt install chromium` brings one"),
]

LOOK = """
const results = {};
const byId = (id) => document.getElementById(id);
const figures = () => [...document.querySelectorAll("#pictures figure:not([hidden])")];
const shown = () => figures().map((figure) => figure.dataset.name);
const boxes = () => document.querySelectorAll("#pictures figure:not([hidden]) .dt:not(.below)").length;
const note = (name) => { results[name] = { shown: shown(), boxes: boxes(), tally: byId("tally").textContent }; };
const set = (id, value, event) => { byId(id).value = value; byId(id).dispatchEvent(new Event(event)); };
note("start");
set("threshold", 0.55, "input"); note("higher");
set("threshold", 0.1, "input"); note("lower");
set("of-class", "1", "change"); note("dogs");
set("of-class", "", "change"); set("of-kind", "duplicate", "change"); note("duplicates");
byId("clear").click(); note("cleared");
set("order", "name", "change"); note("named");
document.querySelector('[data-show-kind="missed"]').click(); note("missed");
document.querySelector(".confusion tbody tr:first-child td:nth-child(3) button").click(); note("cell");
results.sideways = document.documentElement.scrollWidth > document.documentElement.clientWidth;
results.deadLinks = [...document.querySelectorAll("a[href^='#']")].filter((a) => !byId(a.hash.slice(1))).length;
const output = document.createElement("pre");
output.id = "results";
output.textContent = JSON.stringify(results);
document.body.append(output);
"""


def browse(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    common = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000", "--enable-logging=stderr"]
    command = [BROWSER, *common, f"--user-data-dir={page.parent / 'profile'}", *options, "--dump-dom", page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = Run(tmp_path_factory.mktemp("run"), tests=30)
    detections = [detect((SQUARE, "cat", 0.9)) for _ in range(30)]
    detections[3] = detect((SQUARE, "cat", 0.9), (SQUARE, "cat", 0.5))  # 6.jpg: once more
    detections[5] = detect((SQUARE, "dog", 0.8))  # 8.jpg: another class
    detections[7] = detect((SQUARE, "cat", 0.9), (ELSEWHERE, "dog", 0.2))  # 10.jpg: on nothing, hardly
    detections[9] = detect()  # 12.jpg: missed
    run.detect(detections)
    run.evaluate(detections, saved_model={"score_threshold": 0.4})
    write_analysis(run.root / "detections", analysis(run.test, detections, match_detections(run.test, detections), 0.4))
    run.page(gallery_images=60, score_threshold=0.1)
    return run.root / "report" / "index.html"


@pytest.fixture(scope="module")
def seen(page: Path) -> dict[str, Any]:
    text = page.read_text(encoding="utf-8")
    # The page forbids every script but its own.
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    driven = page.with_name("driven.html")
    driven.write_text(text.replace("</body>", f"<script>{LOOK}</script></body>"), encoding="utf-8")
    (output,) = re.findall(r'<pre id="results">(.*?)</pre>', browse(driven, "--window-size=390,800").stdout, re.DOTALL)
    results: dict[str, Any] = json.loads(html.unescape(output))
    return results


def test_the_page_starts_at_the_shipped_score_with_the_most_mistakes_first(seen: dict[str, Any]) -> None:
    start = seen["start"]
    assert len(start["shown"]) == 24
    assert start["shown"][:3] == ["8.jpg", "6.jpg", "12.jpg"]
    # 28 cats found, one duplicate, one dog that is none; two cats not found.
    assert start["tally"] == "30 of 30 pictures; precision 0.933, recall 0.933"


def test_the_slider_hides_boxes_and_counts_anew(seen: dict[str, Any]) -> None:
    assert seen["higher"]["tally"] == "30 of 30 pictures; precision 0.966, recall 0.933"
    assert seen["lower"]["tally"] == "30 of 30 pictures; precision 0.903, recall 0.933"
    assert seen["lower"]["boxes"] > seen["higher"]["boxes"]


def test_filters_choose_pictures_and_can_be_cleared(seen: dict[str, Any]) -> None:
    assert set(seen["dogs"]["shown"]) == {"8.jpg", "10.jpg"}
    assert seen["duplicates"]["shown"] == ["6.jpg"]
    assert seen["duplicates"]["tally"].startswith("1 of 30 pictures")
    assert seen["cleared"]["tally"].startswith("30 of 30 pictures")
    assert set(seen["missed"]["shown"]) == {"8.jpg", "12.jpg"}


def test_the_order_can_be_chosen(seen: dict[str, Any]) -> None:
    assert seen["named"]["shown"] == [f"{i}.jpg" for i in range(3, 27)]


def test_a_cell_of_the_confusion_matrix_opens_its_pictures(seen: dict[str, Any]) -> None:
    assert seen["cell"]["shown"] == ["8.jpg"]


def test_every_link_lands_and_a_phone_need_not_scroll_sideways(seen: dict[str, Any]) -> None:
    assert seen["deadLinks"] == 0
    assert not seen["sideways"]


def test_the_browser_has_nothing_to_complain_of(page: Path) -> None:
    complaints = [line for line in browse(page).stderr.splitlines() if "CONSOLE" in line]
    assert complaints == []
