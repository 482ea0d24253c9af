import base64
import hashlib
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from tasks.errors import CheckpointError, UnreachableError
from tasks.weights.download import download
from tests.file_server import FileServer, serving

CONTENT = bytes(range(256)) * 4_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("no_proxy", "*")
    with serving(CONTENT) as running:
        yield running


def test_a_whole_file_arrives_and_nothing_else_is_left(server: FileServer, tmp_path: Path) -> None:
    assert download(server.url, tmp_path / "in" / "model.tar.gz", sha256=SHA256) == SHA256

    assert (tmp_path / "in" / "model.tar.gz").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["model.tar.gz"]


def test_a_transfer_that_stops_midway_continues_where_it_stopped(server: FileServer, tmp_path: Path) -> None:
    server.cut_after = [300_000, 200_000]

    assert download(server.url, tmp_path / "m", pause_s=0) == SHA256

    assert server.ranges == [None, "bytes=300000-", "bytes=500000-"]
    assert (tmp_path / "m").read_bytes() == CONTENT


def test_a_later_call_continues_where_an_earlier_one_gave_up(server: FileServer, tmp_path: Path) -> None:
    server.cut_after = [300_000]
    server.statuses = []
    with pytest.raises(UnreachableError, match="300000 bytes are kept"):
        download(server.url, tmp_path / "m", attempts=1)
    assert not (tmp_path / "m").exists()

    assert download(server.url, tmp_path / "m") == SHA256
    assert server.ranges == [None, "bytes=300000-"]


def test_last_modified_identifies_a_version_where_there_is_no_strong_etag(server: FileServer, tmp_path: Path) -> None:
    server.headers = {"ETag": 'W/"v1"', "Last-Modified": "Sat, 11 Jul 2020 00:00:00 GMT"}
    server.cut_after = [300_000]

    assert download(server.url, tmp_path / "m", pause_s=0) == SHA256
    assert server.ranges == [None, "bytes=300000-"]


def test_a_partial_file_of_another_version_is_not_continued(server: FileServer, tmp_path: Path) -> None:
    server.cut_after = [300_000]
    with pytest.raises(UnreachableError):
        download(server.url, tmp_path / "m", attempts=1)
    server.content, server.headers = CONTENT[::-1], {"ETag": '"v2"'}

    download(server.url, tmp_path / "m")

    assert (tmp_path / "m").read_bytes() == CONTENT[::-1]


def test_a_transfer_without_a_version_starts_over(server: FileServer, tmp_path: Path) -> None:
    server.headers = {}
    server.cut_after = [300_000]

    assert download(server.url, tmp_path / "m", pause_s=0) == SHA256
    assert server.ranges == [None, None]


def test_a_partial_file_that_is_complete_does_not_loop_forever(server: FileServer, tmp_path: Path) -> None:
    server.cut_after = [300_000]
    with pytest.raises(UnreachableError):
        download(server.url, tmp_path / "m", attempts=1)
    (tmp_path / "m.partial").write_bytes(CONTENT)

    assert download(server.url, tmp_path / "m", pause_s=0) == SHA256


def test_a_busy_server_is_retried(server: FileServer, tmp_path: Path) -> None:
    server.statuses = [503, 429]

    assert download(server.url, tmp_path / "m", pause_s=0) == SHA256
    assert len(server.ranges) == 3


def test_a_missing_file_is_not_retried(server: FileServer, tmp_path: Path) -> None:
    server.statuses = [404, 404]

    with pytest.raises(CheckpointError, match="answered 404"):
        download(server.url, tmp_path / "m", pause_s=0)
    assert len(server.ranges) == 1


def test_the_wrong_sha256_is_refused_and_the_file_removed(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="SHA-256"):
        download(server.url, tmp_path / "m", sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_the_md5_that_the_server_states_is_checked(server: FileServer, tmp_path: Path) -> None:
    right = base64.b64encode(hashlib.md5(CONTENT, usedforsecurity=False).digest()).decode()
    server.headers = {"x-goog-hash": f"crc32c=AAAAAA==,md5={right}"}
    assert download(server.url, tmp_path / "right") == SHA256

    server.content = CONTENT[:-1] + b"?"
    with pytest.raises(CheckpointError, match="MD5"):
        download(server.url, tmp_path / "wrong")
    assert [path.name for path in tmp_path.iterdir()] == ["right"]


def test_a_file_over_the_limit_is_refused(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="more than the 1000 allowed"):
        download(server.url, tmp_path / "m", max_bytes=1000)
    assert not (tmp_path / "m").exists()


def test_a_full_disk_is_reported_before_the_transfer(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1_500_000))

    with pytest.raises(CheckpointError, match="free some space"):
        download(server.url, tmp_path / "m")


def test_an_unreachable_server_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as gone:
        url = f"http://127.0.0.1:{gone.server_port}/model.tar.gz"

    with pytest.raises(UnreachableError, match=f"{url}: unreachable, 2 attempts failed"):
        download(url, tmp_path / "m", attempts=2, pause_s=0)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "model.tar.gz"])
def test_addresses_other_than_http_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(CheckpointError, match="http"):
        download(url, tmp_path / "m")


@pytest.mark.parametrize("elsewhere", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_away_from_http_is_refused(server: FileServer, tmp_path: Path, elsewhere: str) -> None:
    server.redirect_to = elsewhere

    with pytest.raises(CheckpointError):
        download(server.url, tmp_path / "m", attempts=1)
    assert not (tmp_path / "m").exists()
