"""What a run of `predict-folder` did, as Markdown for Prefect's pages."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tasks.ground.text import counted, markdown_text

UNLIKE = "unlike the training photos"
_MAX_LISTED = 50
_Count = Annotated[int, Field(ge=0)]


class Difference(BaseModel):
    """One of the differences in `Verdict.figures` of tasks/prediction/alarm.py."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    property: str
    p: float
    text: str


class Unlike(BaseModel):
    """How the photos that were detected in compare with the training photos; without differences where all is well."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    compared: _Count
    differences: list[Difference]
    most_unlike: list[str]


class FolderSummary(BaseModel):
    """What `python -m tasks predict-folder --summary` writes; see `Summary` in tasks/prediction/folder_run.py."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: str
    out: str
    model: str
    model_checksum: str
    score_threshold: float
    others: _Count
    photos: _Count
    new: _Count
    done: _Count
    detected: _Count
    copied: _Count
    recovered: _Count
    drawings_removed: _Count
    again: _Count
    too_new: list[str]
    changed: list[str]
    gone: list[str]
    unreadable: dict[str, str]
    newly_unreadable: _Count
    boxes: dict[str, _Count]
    boxes_in_all: dict[str, _Count]
    seconds: float
    images_per_s: float
    unlike: Unlike | None

    @property
    def sentence(self) -> str:
        """The run in one line."""
        counts = {
            "again": self.again,
            "done": self.done,
            "unreadable": len(self.unreadable),
            "too new": len(self.too_new),
            "still being written": len(self.changed),
            "gone": len(self.gone),
        }
        listed = [f"{count} {words}" for words, count in counts.items() if count]
        if self.new or not (self.too_new or self.changed):
            listed.insert(0, f"{self.new or 'none'} new")
        if self.is_unlike:
            listed.append(UNLIKE)
        return ", ".join([counted(self.photos, "photo"), *listed])

    @property
    def is_unlike(self) -> bool:
        """Whether the photos of this run are surely unlike the training photos."""
        return self.unlike is not None and bool(self.unlike.differences)


def artifact_key(folder: str) -> str:
    """The artifact's key, by which Prefect keeps the runs over one folder together: letters, digits and dashes."""
    name = re.sub(r"[^a-z0-9]+", "-", Path(folder).name.lower()).strip("-")
    return f"predict-folder-{name}" if name else "predict-folder"


def summary_markdown(summary: FolderSummary) -> str:
    """The summary as a page; names of files and classes are escaped."""
    rate = f"{summary.images_per_s:.1f}" if summary.detected else "nothing was detected in"
    rows = {
        "photos in the folder": summary.photos,
        "new or changed": summary.new,
        "again, with another model, score threshold or with drawings": summary.again,
        "done": summary.done,
        "of these, detected in": summary.detected,
        "of these, copies of other photos": summary.copied,
        "of these, taken from earlier results": summary.recovered,
        "drawings of earlier results removed": summary.drawings_removed,
        "left for the next run, as they are too new": len(summary.too_new),
        "left for the next run, as they are still being written": len(summary.changed),
        "gone since the start of the run": len(summary.gone),
        "unreadable": f"{len(summary.unreadable)} ({summary.newly_unreadable} of them new)",
        "files that are no photos": summary.others,
        "images/s": rate,
        "model": f"{summary.model}, SHA-256 {summary.model_checksum[:12]}",
        "score threshold": f"{summary.score_threshold:.2f}",
        "results": summary.out,
    }
    return "\n".join(
        [
            f"# {markdown_text(summary.folder)}\n",
            "| | |\n|---|---|",
            *(f"| {name} | {markdown_text(value)} |" for name, value in rows.items()),
            *_unlike(summary),
            *_boxes(summary),
            *_listed("Unreadable", dict(sorted(summary.unreadable.items()))),
            *_listed("Still being written", dict.fromkeys(sorted(summary.changed), "")),
            *_listed("Gone", dict.fromkeys(sorted(summary.gone), "")),
        ]
    )


def _unlike(summary: FolderSummary) -> list[str]:
    if summary.unlike is None or not summary.is_unlike:
        return []
    return [
        f"\n## {UNLIKE.capitalize()}\n\nThe boxes of this run may be wrong: of {summary.unlike.compared} photos, "
        "those furthest from the training photos are listed last.\n",
        *(f"- {markdown_text(each.text)}" for each in summary.unlike.differences),
        *(f"- {markdown_text(name)}" for name in summary.unlike.most_unlike),
    ]


def _boxes(summary: FolderSummary) -> list[str]:
    names = sorted({*summary.boxes, *summary.boxes_in_all})
    if not names:
        return ["\nNo boxes."]
    return [
        "\n| boxes | this run | all photos that are there |\n|---|---:|---:|",
        *(
            f"| {markdown_text(name)} | {summary.boxes.get(name, 0)} | {summary.boxes_in_all.get(name, 0)} |"
            for name in names
        ),
    ]


def _listed(title: str, reasons: Mapping[str, str]) -> list[str]:
    if not reasons:
        return []
    lines = [f"- {markdown_text(name)}" + (f": {markdown_text(why)}" if why else "") for name, why in reasons.items()]
    more = [f"- and {len(lines) - _MAX_LISTED} more"] if len(lines) > _MAX_LISTED else []
    return [f"\n## {title}\n", *lines[:_MAX_LISTED], *more]
