import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.states import Completed, Failed

from flows.notify import VARIABLE, notify, notify_if_unlike

FLOW: Any = SimpleNamespace(name="pipeline")
RUN: Any = SimpleNamespace(name="red-fox")


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, str]]]:
    """What arrives at the address that the variable names."""
    messages: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv(VARIABLE, f"json://127.0.0.1:{server.server_port}/hook")
        yield messages
        server.shutdown()
        thread.join()


def test_a_message_names_the_run_its_outcome_and_the_reason(received: list[dict[str, str]]) -> None:
    notify(FLOW, RUN, Failed(message="not done: train"))
    (message,) = received
    assert message["title"] == "pipeline red-fox: Failed"
    assert message["message"] == "not done: train"


def test_of_runs_over_a_folder_only_unlike_photos_are_sent(received: list[dict[str, str]]) -> None:
    notify_if_unlike(FLOW, RUN, Completed(message="2 photos, 2 new, 2 done"))
    notify_if_unlike(FLOW, RUN, Completed())
    assert received == []
    notify_if_unlike(FLOW, RUN, Completed(message="9 photos, 9 new, 9 done, unlike the training photos"))
    assert [message["message"] for message in received] == ["9 photos, 9 new, 9 done, unlike the training photos"]


def test_without_an_address_nothing_is_sent(received: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    notify(FLOW, RUN, Completed())
    assert received == []


@pytest.mark.parametrize("address", ["nonsense", "json://name:secret@127.0.0.1:9/hook"])
def test_a_faulty_address_is_a_warning_without_its_password(
    address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(VARIABLE, address)
    notify(FLOW, RUN, Completed())
    (record,) = [record for record in caplog.records if record.name.endswith("flows.notify")]
    assert VARIABLE in record.getMessage()
    assert "secret" not in record.getMessage()
