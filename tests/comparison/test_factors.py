"""Which side each param and each file of code is on."""

from pathlib import Path
from typing import Any

import pytest

from tasks.comparison.factors import DATA_STAGES, DETECTOR_STAGES, factors_of, side_of
from tasks.comparison.run import Run
from tasks.ground.dvc_yaml import entries, read_mapping, stages_of

ROOT = Path(__file__).parents[2]


def run(code: dict[str, str] | None = None, **sections: dict[str, object]) -> Run:
    """A run with these params; `code` is `stage:path` and MD5 of what its stages depended on."""
    lock: dict[str, Any] = {"stages": {"split": {"outs": [{"path": "data/splits", "md5": "1"}]}}}
    for name, md5 in (code or {}).items():
        stage, _, path = name.partition(":")
        lock["stages"].setdefault(stage, {}).setdefault("deps", []).append({"path": path, "md5": md5})
    return Run("run", Path(), Path(), dict(sections), lock={} if code is None else lock)


@pytest.mark.parametrize(
    ("key", "side"),
    [
        ("ingest.source", "data"),
        ("split.seed", "data"),
        ("records.max_side_px", "data"),
        ("sample.images", "data"),
        ("records.workers", "neither"),
        ("train.steps", "params"),
        ("checkpoint.source", "params"),
        ("model.name", "params"),
        ("export.nms_iou_threshold", "params"),
        ("report.gallery_images", "neither"),
        # Of another version of the project.
        ("distil.teacher", "params"),
    ],
)
def test_each_key_is_on_one_side(key: str, side: str) -> None:
    assert side_of(key) == side


def test_no_stage_that_a_run_in_between_runs_reads_a_param_of_the_data() -> None:
    stages = stages_of(read_mapping(ROOT / "dvc.yaml"))
    for name in (*DETECTOR_STAGES, "checkpoint"):
        for key, _ in entries(stages[name], "params"):
            assert side_of(f"{key}.any") != "data"
    assert set(stages) == {*DATA_STAGES, "checkpoint", *DETECTOR_STAGES, "report"}


def test_a_run_in_between_is_given_all_that_its_stages_depend_on() -> None:
    """What they need of the results of other stages: those that `run_between` copies."""
    stages = stages_of(read_mapping(ROOT / "dvc.yaml"))
    made = {name for stage in DETECTOR_STAGES for name, _ in entries(stages[stage], "outs")}
    needed = {dep for name in DETECTOR_STAGES for dep, _ in entries(stages[name], "deps") if dep.startswith("${")}
    assert needed - made == {"${paths.splits}", "${paths.records}", "${paths.base}"}


def test_params_and_data_that_differ_are_told_apart() -> None:
    before = run(train={"steps": 1, "seed": 1}, split={"seed": 1}, report={"gallery_images": 1})
    after = run(train={"steps": 2, "seed": 1}, split={"seed": 2}, report={"gallery_images": 2})
    found = factors_of(before, after, data_changed=False)
    assert found.keys == {
        "data": (("split.seed", 1, 2),),
        "params": (("train.steps", 1, 2),),
        "neither": (("report.gallery_images", 1, 2),),
    }
    # Another seed that gave the same splits changed no data.
    assert (found.data_changed, found.params_changed, found.params_name, found.code) == (False, True, "params", None)


def test_other_records_are_other_data_though_images_and_boxes_are_the_same() -> None:
    before, after = run(records={"max_side_px": None, "workers": 1}), run(records={"max_side_px": 960, "workers": 2})
    assert factors_of(before, after, data_changed=False).data_changed
    assert not factors_of(before, run(records={"max_side_px": None, "workers": 2}), data_changed=False).data_changed


def test_the_code_of_each_side_is_what_its_stages_were_run_with() -> None:
    code = {
        "validate:tasks/gate": "1",
        "train:tasks/training": "1",
        "checkpoint:weights": "1",
        "train:data/splits": "8",
    }
    changed = {
        "validate:tasks/gate": "2",
        "train:tasks/training": "1",
        "checkpoint:weights": "2",
        "report:tasks/x": "5",
    }
    found = factors_of(
        run(code), run({**code, **changed, "ingest:photos": "3"}, ingest={"images": "photos"}), data_changed=True
    )
    assert found.code == {"data": ("tasks/gate",), "params": ("weights",), "neither": ()}
    assert found.params_name == "code"
    both = factors_of(run(code, train={"steps": 1}), run({**code, **changed}, train={"steps": 2}), data_changed=True)
    assert both.params_name == "params and code"


def test_a_lock_file_that_is_damaged_says_nothing_of_the_code() -> None:
    locks: tuple[Any, ...] = (None, [], {"stages": 3}, {"stages": {"train": 3}}, "x")
    for lock in locks:
        damaged = Run("run", Path(), Path(), {}, lock=lock)
        assert factors_of(damaged, run({"train:tasks/x": "1"}), data_changed=True).code is None
