"""The data of a run: its images with their splits, and what the gate found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tasks.artifacts.split import read_dropped
from tasks.comparison.finding_changes import Findings, place_of
from tasks.comparison.run import Run
from tasks.dataset.coco_json import read_stage_coco
from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.dataset.split_files import read_coco_splits

# The results of a run that are read, by names in `paths:`.
NEEDED_FOR_DATA = ("splits", "validated")


@dataclass(frozen=True)
class RunData:
    """The data that a run trained and measured on.

    Attributes:
        run: where it comes from.
        splits: train, val and test.
        findings: of the gate; empty where they were not read.
        dropped: the names of the images that `split` put in no split.
    """

    run: Run
    splits: Mapping[str, Dataset]
    findings: Findings = field(default_factory=Findings)
    dropped: frozenset[str] = frozenset()

    @cached_property
    def images(self) -> list[AnnotatedImage]:
        """All of them, train first, then val, then test."""
        return [image for dataset in self.splits.values() for image in dataset.images]

    @cached_property
    def split_names(self) -> list[str]:
        """The split of each of `images`."""
        return [split for split, dataset in self.splits.items() for _ in dataset.images]

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes of all splits."""
        return tuple(dict.fromkeys(name for dataset in self.splits.values() for name in dataset.classes))

    @property
    def root(self) -> Path:
        """The folder that the names of its images are relative to, itself relative to the project's."""
        return next(iter(self.splits.values())).root

    @cached_property
    def _dropped_by_gate(self) -> dict[str, str]:
        """The kind of problem by the place of what was dropped for it."""
        return {place_of(each): each.kind for each in self.findings.problems if each.action == "dropped_image"}

    def why_absent(self, image: AnnotatedImage) -> str:
        """Why `image` of another run is in none of the splits, in words; empty where nothing here says."""
        if image.file_name in self.dropped:
            return "dropped by split, as it is similar to an image of another split"
        found = self._dropped_by_gate
        kind = found.get((self.root / image.file_name).as_posix()) or found.get(image.source)
        return f"dropped by the gate: {kind}" if kind else ""


def read_run_data(run: Run, *, findings: bool = True) -> RunData:
    """The data of `run`; with `findings` also what the gate found.

    Raises:
        PipelineError: its files cannot be read.
    """
    problems = read_stage_coco(run.path("validated"), "validate").problems if findings else ()
    folder = run.path("splits")
    dropped = frozenset(row.image for row in read_dropped(folder))
    return RunData(run, read_coco_splits(folder), Findings(problems, _folders(run)), dropped)


def _folders(run: Run) -> list[str]:
    """The folders of `ingest` that a path can be told by; `.` is none."""
    section = run.params.get("ingest")
    values = [section.get(key) for key in ("source", "images")] if isinstance(section, dict) else []
    return [value for value in values if isinstance(value, str) and len(value.strip("./")) > 0]
