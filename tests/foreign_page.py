"""A page of another site, opened in the browser of the person whose server is attacked; and what it was answered."""

import json
import shutil
import subprocess
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
# Browsers hold every name below `localhost` for this machine, and each for a site of its own.
SITE = "foreign.localhost"

_PAGE = """<!doctype html><title>a foreign page</title><script>
const answers = [];
async function ask(name, request) {
  try { answers.push([name, await request()]); } catch (error) { answers.push([name, String(error)]); }
}
function socket(address) {
  return new Promise((resolve) => {
    const opened = new WebSocket(address, ["prefect"]);
    opened.onopen = () => resolve("open");
    opened.onclose = (event) => resolve("closed " + event.code);
  });
}
(async () => {
  %s
  await fetch("/answers", { method: "POST", body: JSON.stringify(answers) });
})();
</script>"""


def visit(script: str, profile: Path, seconds: float = 90) -> dict[str, Any]:
    """Open a page of a foreign site, which runs `script`; what it noted by `await ask(NAME, () => PROMISE)`.

    Args:
        script: JavaScript; `socket(ADDRESS)` there opens a WebSocket.
        profile: an empty folder for the browser.
        seconds: how long the page may take.
    """
    arrived = threading.Event()
    answers: list[tuple[str, Any]] = []

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((_PAGE % script).encode())

        def do_POST(self) -> None:
            answers.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            arrived.set()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        browser = open_browser(f"http://{SITE}:{site.server_port}/", profile)
        try:
            assert arrived.wait(seconds), "the foreign page did not come to its end"
        finally:
            browser.kill()
            browser.wait()
            site.shutdown()
    return dict(answers)


def open_browser(address: str, profile: Path, options: Sequence[str] = ()) -> "subprocess.Popen[bytes]":
    """A browser without a window, at this address."""
    common = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    return subprocess.Popen(
        [BROWSER, *common, f"--user-data-dir={profile}", *options, address],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
