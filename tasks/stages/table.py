"""Every stage: its function, its params sections, its paths. dvc.yaml says the same, and a test compares the two.

Functions stand as text, `module:function`, and are imported when a stage runs: a stage that needs no TensorFlow must
not pay for its import.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tasks.errors import PipelineError
from tasks.ground.files import remove_leftovers
from tasks.ground.imports import import_object
from tasks.params import Params

Figures = dict[str, Any]


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        function: `module:function`; called with its params sections in order, then its paths by name.
        help: what it does, for the command line.
        sections: the params.yaml sections it is given, which dvc.yaml must track.
        reads: names in `paths:` that it reads; each is an out of an earlier stage.
        shows: names in `paths:` that it reads where they exist, and that are no reason to run again: not in dvc.yaml.
        writes: names in `paths:` that it writes.
        scratch: names in `paths:` that it uses and that are no result.
        untracked: params of its sections that change no byte of its result, so that DVC need not watch them.
    """

    function: str
    help: str
    sections: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    scratch: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()

    def load(self) -> Callable[..., Figures]:
        """The function itself."""
        function: Callable[..., Figures] = import_object(self.function)
        return function


STAGES: dict[str, Stage] = {
    "sample": Stage(
        "tasks.stages.sample:sample", "draw the sample data, with planted faults", ("sample",), writes=("sample",)
    ),
    "ingest": Stage(
        "tasks.stages.ingest:ingest",
        "read the annotations, find and hash their images",
        ("ingest",),
        writes=("ingested",),
    ),
    "validate": Stage(
        "tasks.stages.validate:validate",
        "open every image and check every box; fix or drop what is faulty",
        ("validate", "model"),
        reads=("ingested",),
        writes=("validated", "metrics_data"),
    ),
    "split": Stage(
        "tasks.stages.split:split",
        "assign images to train, val and test: seeded, stratified, similar images in one split",
        ("split",),
        reads=("validated",),
        writes=("splits", "metrics_split", "plots_data", "split_memory"),
    ),
    "records": Stage(
        "tasks.stages.records:records",
        "write TFRecords shard by shard, and compare them with their source",
        ("records",),
        reads=("splits",),
        writes=("records",),
        scratch=("records_resume",),
        untracked=("records.workers", "records.scheduler"),
    ),
    "checkpoint": Stage(
        "tasks.stages.checkpoint:checkpoint",
        "fetch the weights that training starts from",
        ("checkpoint", "model"),
        writes=("base",),
    ),
    "configure": Stage(
        "tasks.stages.configure:configure",
        "write pipeline.config; check params, model and data against each other",
        ("model", "train", "export"),
        reads=("records", "base"),
        writes=("pipeline_config", "lint"),
    ),
    "train": Stage(
        "tasks.stages.train:train",
        "train the detector; keep the best checkpoint by validation mAP",
        ("train",),
        reads=("pipeline_config", "records", "base"),
        writes=("trained", "metrics_train", "plots_train"),
        scratch=("resume", "tensorboard"),
    ),
    "export": Stage(
        "tasks.stages.export:export",
        "write the SavedModel and its variants: float32, float16, int8, ...",
        ("export",),
        reads=("trained", "pipeline_config", "records", "splits"),
        writes=("exported",),
    ),
    "evaluate": Stage(
        "tasks.stages.evaluate:evaluate",
        "score every exported model on the test split",
        ("evaluate", "export", "train"),
        reads=("exported", "base", "splits"),
        writes=("detections", "metrics_evaluate", "metrics_headline", "speed", "plots_evaluate", "model_card"),
    ),
    "report": Stage(
        "tasks.stages.report:report",
        "write the report, one self-contained page",
        (
            *("report", "validate", "sample", "ingest", "split", "records"),
            *("model", "checkpoint", "train", "export", "evaluate"),
        ),
        reads=(
            "ingested",
            "validated",
            "splits",
            "trained",
            "detections",
            "metrics_data",
            "metrics_train",
            "metrics_evaluate",
            "plots_train",
            "plots_evaluate",
            "pipeline_config",
            "lint",
        ),
        shows=("speed",),
        writes=("report",),
        untracked=("records.workers", "records.scheduler"),
    ),
}


def run_stage(name: str, params: Params) -> Figures:
    """Run one stage in this process and return its figures.

    Raises:
        PipelineError: what the stage reads is not there, or what the stage itself raises.
    """
    stage = STAGES[name]
    missing = [str(path) for key in stage.reads if not (path := getattr(params.paths, key)).exists()]
    if missing:
        raise PipelineError(f"{', '.join(missing)}: not there; `dvc repro {name}` runs the stages that write it")
    for key in stage.writes:
        remove_leftovers(getattr(params.paths, key))
    paths = {key: getattr(params.paths, key) for key in (*stage.reads, *stage.shows, *stage.writes, *stage.scratch)}
    return stage.load()(*(params.section(section) for section in stage.sections), **paths)
