"""The run in between two runs: the data of one, the params and the code of the other.

Only the stages after `records` run, as only they read these params: records and splits are those of the one run, the
base weights those of the other. The stages run in a folder below .dvc/tmp, with the cache of the project: what DVC has
in its run cache is not run again, so a run in between that was ever made with this data, params and code costs seconds.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from pydantic import TypeAdapter, ValidationError

from tasks.artifacts.model_detections import read_model_detections, write_model_detections
from tasks.comparison.between_key import Between, key_of
from tasks.comparison.factors import DETECTOR_STAGES, code_of
from tasks.comparison.photos_of_run import levels_up, link_photos
from tasks.comparison.project_copy import copy_project
from tasks.comparison.run import Run, copy_result, result_path
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.errors import BusyError, PipelineError, StoppedError
from tasks.ground.dvc_yaml import read_mapping, stages_of
from tasks.ground.figures import duration_text
from tasks.ground.files import read_json, replacing, write_json
from tasks.ground.process import ending_with_me
from tasks.ground.text import print_text
from tasks.ground.unfinished import unfinished_work

# Below the project's folder; DVC keeps git from seeing it.
PLACE = Path(".dvc/tmp/explain")
# The trainer ends its step, which takes seconds.
_MOST_ENDING_S = 60.0
_READY, _CODE = "ready", "other_code.json"
# Runs stages in a project's folder.
Runner = Callable[[Path, Sequence[str]], None]


def repro(project: Path, stages: Sequence[str]) -> None:
    """Run `stages` alone, one after the other, through `dvc repro`; what it prints goes to the terminal's stderr.

    Raises:
        PipelineError: a stage failed.
        StoppedError: after Ctrl-C.
    """
    command = [sys.executable, "-m", "dvc", "repro", "--single-item", *stages]
    # dvc.yaml takes the Python that it finds: in this folder there is no .venv.
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    with subprocess.Popen(ending_with_me(command), cwd=project, env=environment, stdout=2) as process:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # DVC and the stage got it too, and the trainer ends by itself; but not where they were started with it
            # ignored, as in the background of a shell.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_MOST_ENDING_S)
            process.kill()
            raise StoppedError("stopped; the same command goes on from the last step that training saved") from None
    if code:
        raise PipelineError(
            f"the run in between failed, see above; it lies in {project}, and the same command goes on from there"
        )


@dataclass(frozen=True)
class BetweenResults:
    """What is kept of a run in between.

    Attributes:
        detections: of its SavedModel in each test image of its data.
        other_code: the code that is not what the run of its params was made with, as that was changed since.
    """

    detections: Sequence[Detections]
    other_code: Sequence[str]


def results_between(between: Between, root: Path, run: Runner = repro) -> BetweenResults:
    """The results of a run in between; it is made where they are not at hand, and remembered.

    Args:
        between: which run.
        root: the project's folder.
        run: runs the stages.

    Raises:
        PipelineError: `root` is no project of DVC, something that the run needs is missing, or a stage failed.
        BusyError: another process makes a run in between.
    """
    if not (root / ".dvc").is_dir():
        raise PipelineError(f"{root.absolute()}: no .dvc in it: --explain works in the project's folder")
    key = key_of(between)
    kept, test = root / PLACE / "results" / key, between.data.test
    results = _read(kept, test)
    if results is None:
        busy = BusyError(f"{root / PLACE}: another process makes a run in between; wait for it, or end it")
        print_text(_start_text(between), file=sys.stderr)
        with unfinished_work(root / PLACE / "unfinished", key, busy) as folder:
            project = _project(between, root, folder)
            run(project, _stages(project))
            found = read_model_detections(project / result_path(between.params.run, "detections"), "saved_model", test)
            other_code = _other_code(between.params.run, project)
            with replacing(kept, own_folder=True) as partial:
                write_model_detections(partial, "saved_model", test, found)
                write_json(partial / _CODE, other_code)
            shutil.rmtree(folder)
            results = BetweenResults(found, other_code)
    return results


def _start_text(between: Between) -> str:
    """What is printed before the stages run."""
    data, params, seconds = between.data.run.name, between.params.run.name, between.params.training_s
    took = "" if seconds is None else f"; training took {duration_text(seconds)} in {params}"
    return f"compare: a run in between: the data of {data} with the params and code of {params}{took}"


def _read(kept: Path, test: Dataset) -> BetweenResults | None:
    """What was remembered in `kept`; None where nothing was, or it is damaged."""
    try:
        code = TypeAdapter(list[str]).validate_python(read_json(kept / _CODE, "a list of paths"))
        return BetweenResults(read_model_detections(kept, "saved_model", test), code)
    except (PipelineError, OSError, ValidationError):
        return None


def _other_code(run: Run, project: Path) -> list[str]:
    """The code of the run in between that differs from what `run` was made with, as each dvc.lock has it."""
    lock = project / "dvc.lock"
    made = replace(run, lock=read_mapping(lock) if lock.is_file() else {})
    first, second = code_of(run, DETECTOR_STAGES), code_of(made, DETECTOR_STAGES)
    return sorted(path for path in first.keys() & second.keys() if first[path] != second[path])


def _project(between: Between, root: Path, folder: Path) -> Path:
    """The folder in which the stages run; that of an earlier, broken-off call where it was whole."""
    ready = folder / _READY
    if ready.is_file():
        return folder / ready.read_text(encoding="utf-8")
    shutil.rmtree(folder)
    data, params = between.data.data, between.params.run
    # So deep that folders of photos above the project's lie within `folder`, too.
    tree = folder.joinpath(*["above"] * levels_up(data.root), "tree")
    tree.mkdir(parents=True)
    project = copy_project(params, root, tree, PurePosixPath(os.path.normpath(data.root)))
    for name, run in (("splits", data.run), ("records", data.run), ("base", params)):
        target = project / result_path(params, name)
        if target.exists():
            shutil.rmtree(target) if target.is_dir() else target.unlink()
        copy_result(run, name, target, root)
    link_photos(data, root, project, folder)
    # Empty, as a full disk leaves it, it would say that the folder is whole.
    with replacing(ready) as beside:
        beside.write_text(project.relative_to(folder).as_posix(), encoding="utf-8")
    return project


def _stages(project: Path) -> list[str]:
    """Those of DETECTOR_STAGES that the project's dvc.yaml has; its version may lack one.

    Raises:
        PipelineError: it cannot be read, or neither trains nor evaluates: DVC given no stage would run them all.
    """
    try:
        known = stages_of(read_mapping(project / "dvc.yaml"))
    except ValueError as error:
        raise PipelineError(str(error)) from error
    if not {"train", "evaluate"} <= known.keys():
        raise PipelineError(f"{project / 'dvc.yaml'}: no stages train and evaluate in it, which a run in between needs")
    return [stage for stage in DETECTOR_STAGES if stage in known]
