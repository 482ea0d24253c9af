"""What `review` reads of strangers: labels that were kept, its tasks, and exports of Label Studio over one photo."""

import hashlib
import json
from pathlib import Path

from PIL import Image

from tasks.annotating.review_tasks import REVIEW_TASKS, kept_in_export, read_review_tasks, write_review_tasks
from tasks.artifacts.review import FoundSuspect, KeptLabel, SuspectKind, read_kept, write_kept
from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags

_KEPT = KeptLabel(image="0" * 64, kind="wrong_class", class_="cat", box=(1, 2, 30, 40))
_BOX = (1.0, 2.0, 30.0, 40.0)


def kept(folder: Path) -> None:
    """Read kept labels; what is read comes back as it was written."""
    known = read_kept(folder / "kept.json")
    write_kept(known, folder / "again.json")
    assert set(read_kept(folder / "again.json")) == set(known)


def kept_seed(folder: Path) -> bytes:
    """A file of kept labels."""
    write_kept([_KEPT], folder / "seed")
    return (folder / "seed").read_bytes()


def review_tasks(folder: Path) -> None:
    """Read tasks of a review."""
    read_review_tasks(folder / "a.json")


def tasks_seed(folder: Path) -> bytes:
    """Tasks of a review."""
    dataset, suspects = _reviewed(folder)
    write_review_tasks(dataset, suspects, dataset.root, folder)
    return (folder / REVIEW_TASKS).read_bytes()


def review_export(folder: Path) -> None:
    """Read an export; only suspects can have been kept."""
    dataset, suspects = _reviewed(folder)
    found = kept_in_export(folder / "a.json", suspects, dataset, since=0.0)
    assert {each.image for each in found} <= {suspects[0].sha256}


def export_seed(folder: Path) -> bytes:
    """An export in which the labels were submitted as they are."""
    (task,) = json.loads(tasks_seed(folder))
    annotation = {"id": 1, "updated_at": "2025-01-01T00:00:00Z", "result": task["predictions"][0]["result"]}
    return json.dumps([{"id": 1, "data": task["data"], "annotations": [annotation]}]).encode()


def _reviewed(folder: Path) -> tuple[Dataset, list[FoundSuspect]]:
    path = folder / "photos" / "a.jpg"
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (64, 48)).save(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    image = AnnotatedImage("a.jpg", 64, 48, as_boxes([_BOX]), ("cat",), flags(1), flags(1), sha256=digest)
    kinds: tuple[SuspectKind, ...] = ("wrong_class", "missing_box")
    suspects = [
        FoundSuspect(
            image="a.jpg",
            sha256=digest,
            kind=kind,
            class_="cat",
            box=_BOX,
            score=0.5,
            seen_class="dog",
            seen_box=_BOX,
            sentence="a suspect",
        )
        for kind in kinds
    ]
    return Dataset(path.parent, ("cat", "dog"), (image,)), suspects
