"""The checkpoint stage with `checkpoint.source: zoo`, from a server on loopback: cut off, killed, sent wrong bytes."""

import base64
import hashlib
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tasks.errors import CheckpointError, UnreachableError
from tasks.params import CheckpointParams, ModelParams
from tasks.stages.checkpoint import checkpoint
from tasks.weights.download import download
from tests.file_server import FileServer, serving
from tests.small_project import ROOT, wait_until
from tests.zoo_archive import archive_name, needs_zoo, write_zoo_archive

pytestmark = needs_zoo

MODEL = "ssd_mobilenet_v2_fpnlite_640x640"
BASE = Path("models/base")
PARTIAL = Path("models/.downloads") / f"{archive_name(MODEL)}.partial"
CUT = 4_000_000
TAKEN = ["checkpoint/ckpt-0.data-00000-of-00001", "checkpoint/ckpt-0.index", "pipeline.config"]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_zoo_archive(MODEL, tmp_path_factory.mktemp("zoo"))


@pytest.fixture
def server(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """Serves the archive; the working folder is an empty one."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.chdir(tmp_path)
    with serving(archive.read_bytes()) as running:
        yield running


def run(server: FileServer, sha256: str | None = None) -> None:
    params = CheckpointParams(source="zoo", zoo_url=server.address, sha256=sha256, class_names={})
    checkpoint(params, ModelParams(name=MODEL, side_px=None), base=BASE)


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_whole(archive: Path) -> None:
    """The base is what the archive has, to the byte, and nothing else is in the folder."""
    files = files_in(Path("models"))
    assert sorted(files) == sorted(f"base/{name}" for name in ("base.json", "label_map.pbtxt", *TAKEN))
    with tarfile.open(archive) as tar:
        for name in TAKEN:
            member = tar.extractfile(f"{archive.name.removesuffix('.tar.gz')}/{name}")
            assert member is not None
            assert files[f"base/{name}"] == member.read()
    assert sorted(path.name for path in Path("models").iterdir()) == [".downloads", "base"]


def turned(content: bytes, place: int) -> bytes:
    """`content` with one byte changed."""
    place %= len(content)
    return content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]


def stated_md5(content: bytes) -> str:
    """The header `x-goog-hash` as the zoo's server sends it."""
    return f"crc32c=AAAAAA==,md5={base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()}"


def test_the_base_equals_the_zoos_archive_to_the_byte(server: FileServer, archive: Path) -> None:
    run(server, sha256=hashlib.sha256(archive.read_bytes()).hexdigest())

    assert_whole(archive)
    assert server.ranges == [None]


def test_a_cut_connection_continues_where_it_was_cut(server: FileServer, archive: Path) -> None:
    server.cut_after = [CUT]

    run(server)

    assert_whole(archive)
    assert server.ranges == [None, f"bytes={CUT}-"]
    assert server.sent == [CUT, archive.stat().st_size - CUT]


def test_the_run_after_a_dead_connection_fetches_only_the_rest(server: FileServer, archive: Path) -> None:
    server.cut_after = [CUT, 0, 0, 0]
    with pytest.raises(UnreachableError, match=f"{CUT} bytes are kept in {PARTIAL}"):
        run(server)
    assert not BASE.exists()

    run(server)

    assert_whole(archive)
    assert server.ranges == [None, *[f"bytes={CUT}-"] * 4]
    assert server.sent == [CUT, 0, 0, 0, archive.stat().st_size - CUT]


def test_the_run_after_a_kill_fetches_only_the_rest(server: FileServer, archive: Path) -> None:
    server.hold_after = [CUT]
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["model"]["name"] = MODEL
    params["checkpoint"].update(source="zoo", zoo_url=server.address)
    Path("params.yaml").write_text(yaml.safe_dump(params))
    stage = subprocess.Popen([sys.executable, "-m", "tasks", "checkpoint"], env={**os.environ, "PYTHONPATH": str(ROOT)})
    wait_until(lambda: PARTIAL.exists() and PARTIAL.stat().st_size > CUT * 0.9, 120)
    stage.send_signal(signal.SIGKILL)
    assert stage.wait() == -signal.SIGKILL
    assert not BASE.exists()
    kept = PARTIAL.stat().st_size

    run(server)

    assert_whole(archive)
    assert server.ranges == [None, f"bytes={kept}-"]
    assert server.sent == [CUT, archive.stat().st_size - kept]


@pytest.mark.parametrize("known", ["sha256", "md5", "nothing"])
def test_wrong_bytes_are_refused_and_removed(server: FileServer, archive: Path, known: str) -> None:
    right = archive.read_bytes()
    sha256 = hashlib.sha256(right).hexdigest() if known == "sha256" else None
    if known == "md5":
        server.headers["x-goog-hash"] = stated_md5(right)
    none = CheckpointParams(source="none", zoo_url="", sha256=None, class_names={})
    checkpoint(none, ModelParams(name=MODEL, side_px=None), base=BASE)
    earlier = files_in(Path("models"))
    server.content = turned(right, len(right) // 2)

    complaint = {"sha256": "its SHA-256 is", "md5": "another MD5 than the server states", "nothing": r"broken, or not"}
    with pytest.raises(CheckpointError, match=complaint[known]):
        run(server, sha256)
    assert files_in(Path("models")) == earlier

    server.content = right
    run(server, sha256)
    assert_whole(archive)
    assert server.ranges == [None, None]


@pytest.mark.parametrize(("place", "complaint"), [(-8, "CRC check failed"), (-1, "Incorrect length of data")])
def test_the_archives_own_checksum_is_compared_where_no_other_is_known(
    server: FileServer, archive: Path, place: int, complaint: str
) -> None:
    server.content = turned(archive.read_bytes(), place)

    with pytest.raises(CheckpointError, match=complaint):
        run(server)
    assert files_in(Path("models")) == {}


def test_a_damaged_partial_file_is_refused_and_fetched_again_from_the_start(server: FileServer, archive: Path) -> None:
    server.headers["x-goog-hash"] = stated_md5(archive.read_bytes())
    server.cut_after = [CUT]
    with pytest.raises(UnreachableError):
        download(f"{server.address}/{archive.name}", PARTIAL.with_suffix(""), attempts=1)
    PARTIAL.write_bytes(turned(PARTIAL.read_bytes(), CUT // 2))

    with pytest.raises(CheckpointError, match="another MD5"):
        run(server)
    run(server)

    assert_whole(archive)
    assert server.ranges == [None, f"bytes={CUT}-", None]
