"""Archives and folders to take a checkpoint from, and the stage checkpoint."""

import io
import json
import tarfile
from pathlib import Path

from tasks.params import CheckpointParams, ModelParams
from tasks.stages.checkpoint import checkpoint

MODEL = "ssd_mobilenet_v2_fpnlite_320x320"
ARCHIVE = f"{MODEL}_coco17_tpu-8.tar.gz"
INDEX, DATA = b"an index", bytes(range(256)) * 2_000
ZOO_FILES = {
    "checkpoint/checkpoint": b"state",
    "checkpoint/ckpt-0.index": INDEX,
    "checkpoint/ckpt-0.data-00000-of-00001": DATA,
    "pipeline.config": b"model {}",
    "saved_model/saved_model.pb": b"a graph",
    "saved_model/variables/variables.index": b"other",
}
CHECKPOINT_FILES = ["base.json", "checkpoint/ckpt-0.data-00000-of-00001", "checkpoint/ckpt-0.index"]
SAVED_MODEL = ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"]


def archive_of(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def zoo_archive(path: Path, extra: dict[str, bytes] | None = None) -> Path:
    return archive_of(path, {f"{ARCHIVE[:-7]}/{name}": content for name, content in ZOO_FILES.items()} | (extra or {}))


def folder_of(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(DATA if "data" in name else INDEX)
    return path


def run(
    base: Path,
    source: str | Path,
    *,
    model: str = MODEL,
    zoo_url: str = "",
    sha256: str | None = None,
    class_names: dict[str, str] | None = None,
) -> dict:
    params = CheckpointParams(source=str(source), zoo_url=zoo_url, sha256=sha256, class_names=class_names or {})
    return checkpoint(params, ModelParams(name=model, side_px=None), base=base)


def described(base: Path) -> dict:
    return json.loads((base / "base.json").read_text())


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
