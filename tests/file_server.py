"""A real HTTP server on loopback for one file or a folder of them, with the faults of a bad line."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class FileServer(ThreadingHTTPServer):
    """Serves `content` at every path, or the files of the folder `content` by their names.

    Ranges are answered where If-Range names the version (`ETag` or `Last-Modified` among `headers`) that is served.
    """

    def __init__(self, content: bytes | Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.headers: dict[str, str] = {"ETag": '"v1"'}
        self.cut_after: list[int] = []  # close the connection after so many bytes, one entry a request
        self.hold_after: list[int] = []  # send so many bytes, then nothing until `release` is set, one entry a request
        self.release = threading.Event()
        self.statuses: list[int] = []  # answer with these instead, one entry a request
        self.redirect_to = ""
        self.ranges: list[str | None] = []  # what was asked for
        self.sent: list[int] = []  # length of each body, cut or not, that it began to send

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"{self.address}/model.tar.gz"

    def find(self, path: str) -> bytes | None:
        """What is served at `path`; None where nothing is."""
        if isinstance(self.content, bytes):
            return self.content
        file = self.content / path.removeprefix("/")
        return file.read_bytes() if file.is_file() else None


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        server = self.server
        server.ranges.append(self.headers.get("Range"))
        if server.redirect_to:
            self.send_response(302)
            self.send_header("Location", server.redirect_to)
            self.end_headers()
            return
        if server.statuses:
            self.send_error(server.statuses.pop(0))
            return
        content = server.find(self.path)
        if content is None:
            self.send_error(404)
            return
        start = self._start()
        if start and start >= len(content):
            self.send_error(416)
            return
        self._send(content, start)

    def _start(self) -> int:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range") in self.server.headers.values()
        return int(asked[1]) if asked and same else 0

    def _send(self, content: bytes, start: int) -> None:
        server = self.server
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        for name, value in server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        stops = server.hold_after or server.cut_after
        held = bool(server.hold_after)
        body = content[start : start + stops.pop(0)] if stops else content[start:]
        server.sent.append(len(body))
        # Whoever asked may be dead by now.
        with suppress(ConnectionError):
            self.wfile.write(body)
        if held:
            server.release.wait()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(content: bytes | Path) -> Iterator[FileServer]:
    """A running server; what it was asked for can be read from it afterwards too."""
    with FileServer(content) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.release.set()
            server.shutdown()
            thread.join()
