"""Prefect's server, which refuses what comes from another site's page: started by `make server` and by flows by hand.

A page in the same browser can send requests to this machine. It has no password (Prefect asks for one wherever
PREFECT_SERVER_API_AUTH_STRING is set); besides, requests that name another host (a name that a stranger's DNS server
points here) and those whose Origin is another site are refused before Prefect sees them.
"""

import argparse
import base64
import hashlib
import ipaddress
import logging
import os
import socket
import sqlite3
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# The page that takes the password behind the `#`, which no server is sent, to where Prefect's pages look for it.
OPEN_PATH = "/open"
_SCRIPT = """
localStorage.setItem("prefect-password", btoa(decodeURIComponent(location.hash.slice(1))));
location.replace("/");
"""
_SCRIPT_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
_PAGE = f"<!doctype html><title>Prefect</title><script>{_SCRIPT}</script>"
LOCKED = (
    "SQLite's database was locked by another process for a while; what waited for it is tried again. PostgreSQL is not "
    "locked: docs/operations.md"
)
_FORBIDDEN = 403
_POLICY_VIOLATION = 1008


class Guard:
    """An ASGI application before another: what names a foreign host or comes from a foreign page gets no further."""

    def __init__(self, app: "ASGIApp", names: Collection[str], port: int, *, any_address: bool = False) -> None:
        """Guard `app`.

        Args:
            app: Prefect's.
            names: hosts it may be asked as, in small letters, without ports.
            port: its own.
            any_address: whether it may also be asked by any IP address; a stranger's DNS server can give names only.
        """
        self._app, self._names, self._port, self._any_address = app, frozenset(names), port, any_address

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer a request; startup and shutdown are passed on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif reason := self._objection(scope):
            await _refuse(scope, send, reason)
        elif scope["type"] == "http" and scope["path"] == OPEN_PATH:
            await _answer(send, 200, _PAGE, "text/html", f"default-src 'none'; script-src 'sha256-{_SCRIPT_HASH}'")
        else:
            await self._app(scope, receive, _unframed(send))

    def _objection(self, scope: "Scope") -> str:
        """Why a request is refused; empty where it is not."""
        hosts, origins = _values(scope, b"host"), _values(scope, b"origin")
        if len(hosts) != 1 or not self._is_own(_host_and_port(hosts[0])[0]):
            return (
                f"This server does not go by that name, but by {', '.join(sorted(self._names))}. "
                'For another: make server NAMES="NAME", and HOST= where other machines shall reach it.'
            )
        if any(not self._is_own_origin(origin, hosts[0]) for origin in origins):
            return "This server does not answer pages of other sites."
        return ""

    def _is_own(self, name: str) -> bool:
        return name in self._names or (self._any_address and _is_address(name))

    def _is_own_origin(self, origin: str, host: str) -> bool:
        scheme, _, place = origin.lower().partition("://")
        if scheme not in ("http", "https"):
            return False  # `null` too: a sandboxed page, or a file
        name, port = _host_and_port(place)
        # A page that was opened as localhost asks 127.0.0.1; one behind a proxy knows the proxy's name and no port.
        is_public = port is None and name in self._names and name not in LOOPBACK
        return place == host.lower() or is_public or (self._is_own(name) and port == self._port)


def _values(scope: "Scope", name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _host_and_port(text: str) -> tuple[str, int | None]:
    """The host in small letters and the port of `host`, `host:port` or `[address]:port`; an empty host for others."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "", None
    return (host, port) if parts.netloc == text and "@" not in text else ("", None)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _unframed(send: "Send") -> "Send":
    """Forbid other sites' pages to show ours inside of theirs, where people click on what they do not see."""

    async def send_with_header(message: "Message") -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"x-frame-options", b"DENY")]}
        await send(message)

    return send_with_header


async def _refuse(scope: "Scope", send: "Send", reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": reason[:100]})
    else:
        await _answer(send, _FORBIDDEN, reason + "\n", "text/plain", "default-src 'none'")


async def _answer(send: "Send", status: int, text: str, kind: str, policy: str) -> None:
    headers = {
        "content-type": f"{kind}; charset=utf-8",
        "content-security-policy": f"{policy}; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
    }
    encoded = [(key.encode(), value.encode()) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": text.encode()})


def shorten_locks() -> None:
    """Log a locked SQLite database as one sentence, whoever logs it; Prefect's loops print a traceback each time."""
    made = logging.getLogRecordFactory()

    def make(*args: Any, **more: Any) -> logging.LogRecord:
        record = made(*args, **more)
        if record.exc_info and _is_lock(record.exc_info[1]):
            record.exc_info, record.args, record.msg = None, None, LOCKED
            record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
        return record

    logging.setLogRecordFactory(make)


def _is_lock(error: BaseException | None) -> bool:
    """Whether it comes of a locked database, however it was wrapped."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            return True
        seen.append(error)
        error = error.__cause__ or error.__context__
    return False


def main() -> int:
    """Serve on a socket of the process that started this one."""
    parser = argparse.ArgumentParser(prog="python -m flows.guarded_server", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="the descriptor of a bound socket")
    parser.add_argument("--name", action="append", default=[], help="a host it may be asked as, beside loopback's")
    parser.add_argument("--any-address", action="store_true", help="it may be asked by any IP address")
    parser.add_argument("--log-level", default="warning")
    args = parser.parse_args()
    listener = socket.socket(fileno=args.fd)
    port = listener.getsockname()[1]
    names = {name.lower() for name in (*LOOPBACK, *args.name)}
    # What Prefect's own answers permit, to pages that the guard has let through.
    os.environ["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"] = ",".join(f"http://{_bracketed(name)}:{port}" for name in names)

    shorten_locks()

    import uvicorn  # noqa: PLC0415 - with Prefect, a second or two
    from prefect.server.api.server import create_app  # noqa: PLC0415 - reads its settings when it is imported

    guard = Guard(create_app(final=True), names, port, any_address=args.any_address)
    # An open page keeps its connection: without a limit the server would wait for it to be closed.
    config = uvicorn.Config(guard, log_level=args.log_level, lifespan="on", timeout_graceful_shutdown=3)
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name


if __name__ == "__main__":
    sys.exit(main())
