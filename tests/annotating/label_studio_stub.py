"""Stands for Label Studio's program: what we ask of its server, answered as release 1.23 does, without its 700 MB.

`(data-dir)/failing` holds how many of the next exports of what is drawn are answered with 500.
"""

import argparse
import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

parser = argparse.ArgumentParser()
parser.add_argument("start")
parser.add_argument("--port", type=int)
parser.add_argument("--data-dir", type=Path)
args, _ = parser.parse_known_args()
args.data_dir.mkdir(parents=True, exist_ok=True)
STATE, FAILING = args.data_dir / "state.json", args.data_dir / "failing"
state: dict[str, Any] = {"projects": [], "tasks": [], "predictions": [], "time": 0}
if STATE.exists():
    state = json.loads(STATE.read_text())


def now():
    state["time"] += 1
    return f"2025-01-01T00:00:00.{state['time']:06}Z"


def add_project(content):
    state["projects"].append({"id": 1, **content})
    return state["projects"][0]


def add_tasks(content):
    for task in content:
        state["tasks"].append({"id": len(state["tasks"]) + 1, **task, "annotations": [], "predictions": []})


def add_annotation(task, content):
    own = state["tasks"][task - 1]["annotations"]
    time = now()
    own.append({"id": state["time"], "was_cancelled": False, **content, "created_at": time, "updated_at": time})
    return own[-1]


def add_prediction(content):
    number = len(state["predictions"]) + 1
    state["predictions"].append({"id": number, **content})
    # An export has the numbers only.
    state["tasks"][content["task"] - 1]["predictions"].append(number)


def export(query):
    if "download_all_tasks" in query:
        return 200, state["tasks"]
    # Empty for a moment, as it is written.
    left = int((FAILING.read_text() if FAILING.exists() else "") or 0)
    if left:
        FAILING.write_text(str(left - 1))
        return 500, {"detail": "database is locked"}
    return 200, [task for task in state["tasks"] if task["annotations"]]


def change_project(content):
    state["projects"][0] |= content


ANSWERS = {
    "GET health": lambda _ids, _query, _content: (200, {}),
    "GET api projects": lambda _ids, _query, _content: (200, {"results": state["projects"]}),
    "POST api projects": lambda _ids, _query, content: (201, add_project(content)),
    "PATCH api projects N": lambda _ids, _query, content: (200, change_project(content)),
    "GET api projects N export": lambda _ids, query, _content: export(query),
    "POST api projects N import": lambda _ids, _query, content: (201, add_tasks(content)),
    "POST api storages localfiles": lambda _ids, _query, _content: (201, {}),
    "POST api tasks N annotations": lambda ids, _query, content: (201, add_annotation(ids[0], content)),
    "GET api predictions": lambda _ids, _query, _content: (200, state["predictions"]),
    "POST api predictions": lambda _ids, _query, content: (201, add_prediction(content)),
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        address = urlsplit(self.path)
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = address.path.strip("/").split("/")
        kind = " ".join([self.command, *("N" if part.isdigit() else part for part in parts)])
        ids = [int(part) for part in parts if part.isdigit()]
        status, content = ANSWERS[kind](ids, parse_qs(address.query), json.loads(sent) if sent else None)
        beside = STATE.with_name(f"state.{os.getpid()}")
        beside.write_text(json.dumps(state))
        beside.replace(STATE)
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PATCH = do_GET  # noqa: N815 - the same

    def log_message(self, *_):
        pass


HTTPServer(("127.0.0.1", args.port), Handler).serve_forever()
