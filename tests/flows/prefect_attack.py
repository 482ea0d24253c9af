"""What a page of a foreign site tries on a Prefect server: to have a worker run a command."""

from pathlib import Path
from typing import Any

from tests.foreign_page import visit

FLOW = "foreign"
_SCRIPT = """
const api = "%(api)s";
const headers = { "Content-Type": "application/json" };
async function post(path, body) {
  return (await fetch(api + path, { method: "POST", headers, body: JSON.stringify(body) })).json();
}
await ask("run", async () => {
  const flow = await post("/flows/", { name: "%(flow)s" });
  const made = await post("/deployments/", {
    name: "%(flow)s", flow_id: flow.id, work_pool_name: "cpu", entrypoint: "flows/pipeline.py:pipeline",
    pull_steps: [{ "prefect.deployments.steps.run_shell_script": { script: "touch %(mark)s" } }],
  });
  return (await post("/deployments/" + made.id + "/create_flow_run", {})).id;
});
// Needs no permission of the server: its answer stays hidden from the page, but it would have been obeyed.
await ask("blind", async () => (await fetch(api + "/flows/", {
  method: "POST", mode: "no-cors", body: new Blob(['{"name": "%(flow)s"}']) })).type);
await ask("read", async () => (await fetch(api + "/admin/version")).status);
await ask("events", () => socket(api.replace("http", "ws") + "/events/in"));
"""
# A browser that is refused says no more than this.
REFUSED = {"run": "TypeError: Failed to fetch", "read": "TypeError: Failed to fetch", "events": "closed 1006"}


def attack(api: str, mark: Path, profile: Path) -> dict[str, Any]:
    """What a foreign page was answered; had it succeeded, a worker would make the file `mark`."""
    return visit(_SCRIPT % {"api": api, "mark": mark, "flow": FLOW}, profile)
