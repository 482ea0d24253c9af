"""base.json in folders that stand for models/base."""

from pathlib import Path

from tasks.artifacts.base import BaseDescription, write_base_description


def base_description(kind: str = "weights", **changes: str | dict[str, str] | None) -> BaseDescription:
    """The description of a made-up base."""
    values = {"kind": kind, "model": "a model", "source": kind, "origin": "a test", "sha256": None, "licence": None}
    return BaseDescription.model_validate({**values, **changes})


def describe_base(folder: Path, kind: str = "weights", **changes: str | dict[str, str] | None) -> Path:
    """Write base.json into `folder`, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    write_base_description(base_description(kind, **changes), folder)
    return folder
