"""Whether DVC's default remote can be written: `python -m tasks.diagnosis.remote OUT` tries it.

A small file is written beside the results, read again and removed. DVC's own `push` would leave what it wrote.
This module uses DVC's internals, as `flows/graph.py` does (DVC is pinned).
"""

import sys
import time
import uuid
from pathlib import Path
from typing import Any

from dvc.repo import Repo

from tasks.ground.files import write_json

_CONTENT = b"written by `python -m tasks doctor`, which removes it\n"


def main(out: str) -> None:
    """Try the remote of the project in the working directory; OUT says what it is and how long it took."""
    with Repo(".") as repo:
        name = repo.config["core"].get("remote")
        if not name:
            write_json(Path(out), {"remote": None})
            return
        url = _without_password(str(repo.config["remote"][name]["url"]))
        if repo.config["remote"][name].get("worktree"):
            # What is written there by hand would be a version of the user's files.
            write_json(Path(out), {"remote": name, "url": url, "seconds": None})
            return
        store = repo.cloud.get_remote_odb(name)
        start = time.monotonic()
        file = store.fs.join(store.path, f"doctor-{uuid.uuid4().hex}")
        made = _missing_folders(store)
        store.fs.makedirs(store.path, exist_ok=True)
        try:
            with store.fs.open(file, "wb") as written:
                written.write(_CONTENT)
            with store.fs.open(file, "rb") as read:
                same = read.read() == _CONTENT
        finally:
            if store.fs.exists(file):
                store.fs.remove(file)
            for folder in made:
                folder.rmdir()
        if not same:
            sys.exit("what was written there reads back changed")
        write_json(Path(out), {"remote": name, "url": url, "seconds": time.monotonic() - start})


def _without_password(url: str) -> str:
    before, at, place = url.rpartition("@")
    scheme, separator, _ = before.partition("://")
    return f"{scheme}://...@{place}" if at and separator else url


def _missing_folders(store: Any) -> list[Path]:
    """The folders that writing makes, the innermost first; in a bucket there are none."""
    if store.fs.protocol != "local":
        return []
    path = Path(store.path)
    return [folder for folder in (path, *path.parents) if not folder.exists()]


if __name__ == "__main__":
    main(*sys.argv[1:])
