"""The page of `review` in a browser: keys are pressed and buttons clicked by a script put into a copy of it."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.foreign_page import BROWSER

__all__ = ["BROWSER", "opened"]

_VISITOR = """
window.addEventListener("load", async () => {
  const found = {}, byId = (id) => document.getElementById(id);
  const look = () => [document.querySelectorAll("figure:not([hidden])").length, byId("where").textContent];
  const press = (key) => {
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    return look();
  };
  found["first"] = look();
  found["after j"] = press("j");
  found["after right"] = press("ArrowRight");
  found["after k"] = press("k");
  byId("of-kind").value = "missing_box";
  byId("of-kind").dispatchEvent(new Event("change"));
  found["missing"] = look();
  document.querySelector("figure:not([hidden]) button.right").click();
  found["marked"] = byId("decided").textContent;
  let saved = null;
  URL.createObjectURL = (blob) => { saved = blob; return "#"; };
  byId("save").click();
  found["saved"] = await saved.text();
  document.body.dataset.found = JSON.stringify(found);
});
"""


def opened(page: str, folder: Path) -> dict[str, Any]:
    """What was seen on the page, step by step."""
    # The page's policy allows its own script alone.
    copy = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    path = folder / "page.html"
    path.write_text(copy.replace("</body>", f"<script>{_VISITOR}</script></body>"), encoding="utf-8")
    options = ["--headless", "--no-sandbox", f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=5000"]
    done = subprocess.run(
        [BROWSER, *options, "--dump-dom", path.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    (text,) = re.findall(r'data-found="([^"]*)"', done.stdout)
    found: dict[str, Any] = json.loads(text.replace("&quot;", '"').replace("&lt;", "<").replace("&amp;", "&"))
    return found
