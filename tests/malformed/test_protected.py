"""Files and folders that may not be read are reported."""

import tempfile
from pathlib import Path

import pytest

from tests.malformed.confined import Confined
from tests.malformed.corpus import CORPUS, write
from tests.malformed.outcome import faults_of


@pytest.fixture(scope="module")
def confined():
    with Confined() as confined:
        yield confined


@pytest.fixture
def folder():
    # Not below tmp_path, whose folders are its owner's alone.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@pytest.mark.parametrize(
    ("case", "protected", "status", "message"),
    [
        ("voc/nan", "data/bad.jpg", 0, ""),
        ("voc/nan", "data/bad.xml", 0, ""),
        ("voc/nan", "data/more", 1, "data/more: cannot be searched: Permission denied"),
        ("csv/no-header", "data/boxes.csv", 1, "data/boxes.csv: not a CSV file ([Errno 13] Permission denied"),
        ("coco/width-is-text", "data/boxes.json", 1, "Permission denied: 'data/boxes.json': see who may read"),
        ("yolo/names-twice", "data/data.yaml", 1, "data/data.yaml: cannot be read: Permission denied"),
        ("voc/nan", "params.yaml", 1, "params.yaml: cannot be read: Permission denied"),
    ],
    ids=["image", "annotation", "folder", "csv", "coco", "names", "params"],
)
def test_protected_files_are_reported(folder, confined, case, protected, status, message):
    write(CORPUS[case], folder / "case")
    path = folder / "case" / protected
    if not path.exists():
        path.mkdir()
    path.chmod(0)
    for writable in (folder / "case", folder / "case" / "data"):
        writable.chmod(0o777)
    try:
        ended = confined.run(folder / "case", "ingest", entry="tests.malformed.unprivileged:run")
        assert faults_of(ended, folder / "case") == []
        assert (ended.exit, message in ended.printed) == (status, True)
        listed = folder / "case" / "data" / "ingested" / "annotations.json"
        assert status or protected in listed.read_text(encoding="utf-8")
    finally:
        path.chmod(0o700)
