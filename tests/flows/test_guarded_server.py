import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from flows.guarded_server import LOCKED, LOOPBACK, OPEN_PATH, Guard, shorten_locks

PORT = 4200


async def prefect(scope: Any, receive: Any, send: Any) -> None:
    """Stands for Prefect: lets everybody in."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"Prefect"})


def asked(
    headers: dict[str, str], *, kind: str = "http", path: str = "/api/flows", names: tuple[str, ...] = LOOPBACK,
    any_address: bool = False,
) -> list[dict[str, Any]]:  # fmt: skip
    """What a guarded application sends back."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def run() -> None:
        encoded = [(key.encode(), value.encode()) for key, value in headers.items()]
        guard: Any = Guard(prefect, names, PORT, any_address=any_address)
        await guard({"type": kind, "path": path, "headers": encoded}, None, send)

    asyncio.run(run())
    return sent


def status(headers: dict[str, str], **more: Any) -> int:
    return int(asked(headers, **more)[0]["status"])


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "127.0.0.1:4200"},
        {"host": "localhost:4200"},
        {"host": "LOCALHOST"},
        {"host": "[::1]:4200"},
        {"host": "127.0.0.1:4200", "origin": "http://127.0.0.1:4200"},
        {"host": "127.0.0.1:4200", "origin": "http://localhost:4200"},
        {"host": "localhost:9000", "origin": "http://localhost:9000"},
    ],
    ids=["address", "name", "capitals", "IPv6", "own page", "own page under its other name", "a forwarded port"],
)
def test_loopback_and_pages_of_the_server_itself_are_answered(headers: dict[str, str]) -> None:
    assert status(headers) == 200
    assert asked(headers, kind="websocket") == [{"type": "websocket.accept"}]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "evil.example:4200"},
        {"host": "127.0.0.1.evil.example:4200"},
        {"host": "localhost@evil.example"},
        {"host": "localhost:4200/evil"},
        {"host": "192.0.2.7:4200"},
        {"host": "[::1"},
        {"host": "127.0.0.1:4200", "Host": "evil.example"},
        {"host": "127.0.0.1:4200", "origin": "http://evil.example"},
        {"host": "127.0.0.1:4200", "origin": "http://evil.example:4200"},
        {"host": "127.0.0.1:4200", "origin": "http://127.0.0.1:8888"},
        {"host": "127.0.0.1:4200", "origin": "http://127.0.0.1"},
        {"host": "127.0.0.1:4200", "origin": "null"},
        {"host": "127.0.0.1:4200", "origin": "file://"},
        {"host": "127.0.0.1:4200", "origin": "chrome-extension://abc"},
        {"host": "127.0.0.1:4200", "origin": "http://localhost:4200@evil.example"},
    ],
    ids=str,
)
def test_foreign_hosts_and_foreign_pages_are_refused(headers: dict[str, str]) -> None:
    assert status(headers) == 403
    (closed,) = asked(headers, kind="websocket")
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)


def test_a_server_for_others_goes_by_its_names_and_addresses_and_no_further() -> None:
    own: dict[str, Any] = {"names": (*LOOPBACK, "gpu.example.org"), "any_address": True}
    assert status({"host": "192.0.2.7:4200"}, **own) == 200
    assert status({"host": "gpu.example.org"}, **own) == 200
    # A proxy with TLS before it, which names itself or the server behind it.
    assert status({"host": "gpu.example.org", "origin": "https://gpu.example.org"}, **own) == 200
    assert status({"host": "127.0.0.1:4200", "origin": "https://gpu.example.org"}, **own) == 200
    assert status({"host": "evil.example"}, **own) == 403
    assert status({"host": "127.0.0.1:4200", "origin": "https://evil.example"}, **own) == 403


def test_a_refusal_names_the_remedy_and_not_what_was_asked() -> None:
    text = asked({"host": "<script>"})[1]["body"].decode()
    assert 'make server NAMES="NAME"' in text
    assert "<script>" not in text


def test_no_other_site_may_show_the_pages_inside_its_own() -> None:
    assert (b"x-frame-options", b"DENY") in asked({"host": "localhost"})[0]["headers"]


def test_the_page_that_takes_the_password_runs_no_script_but_its_own() -> None:
    start, body = asked({"host": "localhost:4200"}, path=OPEN_PATH)
    headers = dict(start["headers"])
    assert b"default-src 'none'; script-src 'sha256-" in headers[b"content-security-policy"]
    assert headers[b"cache-control"] == b"no-store"
    assert b'localStorage.setItem("prefect-password"' in body["body"]
    assert status({"host": "evil.example"}, path=OPEN_PATH) == 403


def test_what_is_no_request_is_passed_on() -> None:
    assert asked({}, kind="lifespan")[0]["status"] == 200


@pytest.fixture
def _locks_shortened() -> Iterator[None]:
    before = logging.getLogRecordFactory()
    shorten_locks()
    yield
    logging.setLogRecordFactory(before)


def raise_wrapped(reason: str) -> None:
    """As SQLAlchemy does."""
    raise RuntimeError("wrapped") from sqlite3.OperationalError(reason)


@pytest.mark.usefixtures("_locks_shortened")
@pytest.mark.parametrize(("reason", "is_short"), [("database is locked", True), ("disk I/O error", False)])
def test_a_locked_database_is_one_sentence_and_other_errors_keep_their_traceback(
    reason: str, is_short: bool, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        raise_wrapped(reason)
    except RuntimeError:
        logging.getLogger("any").exception("loop %s", "failed")
    (record,) = caplog.records
    shown = logging.Formatter("%(levelname)s %(message)s").format(record)
    assert (shown == f"WARNING {LOCKED}") is is_short
    assert ("Traceback" in shown) is not is_short
