"""One run: the pipeline's own stages, with studies/params.yaml but for what the arm says, the steps and the seed."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.detector.network import build_network
from tasks.detector.pipeline_config import read_pipeline_config
from tasks.errors import ParamsError
from tasks.exporting.export import load_weights
from tasks.ground.files import sha256_of, write_json
from tasks.metrics.coco import coco_figures
from tasks.model.label_map import read_label_map
from tasks.params import Params, read_params
from tasks.stages.table import run_stage
from tasks.tfrecords.tf_example import read_split, shards_of
from tasks.training.validation import RecordsDetector

ROOT = Path(__file__).parents[2]
PARAMS = ROOT / "studies" / "params.yaml"
_DATA_STAGES = ("ingest", "validate", "split", "records")
_TRAINING_STAGES = ("checkpoint", "configure", "train")


class Trial(NamedTuple):
    """One run of the matrix, by names in trials.yaml."""

    data: str
    arm: str
    steps: int
    seed: int

    @property
    def key(self) -> str:
        """Its name among results."""
        return "-".join(map(str, self))


def prepare_data(name: str, folder: Path) -> None:
    """Write data/`name`/records from the annotations and images in `folder`.

    Raises:
        PipelineError: as the stages raise it.
    """
    source = {"source": str(folder), "images": str(folder), "format": "auto"}
    params = params_of(PARAMS, Path("data") / name, Path("data") / name, {"ingest": source})
    for stage in _DATA_STAGES:
        print(f"{name}: {stage}", flush=True)
        run_stage(stage, params)


def train_and_score(trial: Trial, arm: Mapping[str, Mapping[str, Any]], scored_on: str, results: Path) -> Any:
    """Train, score the last weights on part `scored_on`, and write that into `results`; returned, too.

    No checkpoint is chosen: there is one validation, at the end.

    Raises:
        PipelineError: as the stages raise it, or the arm says what studies/params.yaml does not know.
    """
    # A run that was killed goes on: the folder stays until there is a result.
    folder = Path("runs") / trial.key
    train = {"steps": trial.steps, "seed": trial.seed, "eval_every": trial.steps}
    sections = {**arm, "train": {**train, **arm.get("train", {})}}
    params = params_of(PARAMS, folder, Path("data") / trial.data, sections)
    for stage in _TRAINING_STAGES:
        figures = run_stage(stage, params)
    result = {
        **trial._asdict(),
        "code": code(),
        "step_ms_median": figures["step_ms_median"],
        "part": scored_on,
        **_scores(params, scored_on),
    }
    results.mkdir(exist_ok=True)
    write_json(results / f"{trial.key}.json", result)
    shutil.rmtree(folder)
    return result


def code(*more: str) -> str:
    """A hash of all that decides a run's result besides its own values.

    Args:
        more: patterns of files, seen from the project's folder, beside the pipeline's code, the studies' params
            and the weights.
    """
    patterns = ("studies/params.yaml", "tasks/**/*.py", "weights/*.npz", "studies/trials/run.py", *more)
    files = sorted({path for pattern in patterns for path in ROOT.glob(pattern)})
    lines = [f"{path.relative_to(ROOT).as_posix()} {sha256_of(path)}" for path in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def params_of(base: Path, folder: Path, data: Path, sections: Mapping[str, Mapping[str, Any]]) -> Params:
    """The params in `base` with `sections` changed, and every path below `folder`, but the data's below `data`.

    Raises:
        ParamsError: a section or a key that the pipeline does not have.
    """
    content = yaml.safe_load(base.read_text(encoding="utf-8"))
    for section, changes in sections.items():
        if section not in content:
            raise ParamsError(f"trials.yaml: {base} has no section `{section}`")
        content[section] |= changes
    content["paths"] = {
        path: str(data / Path(where).relative_to("data") if Path(where).is_relative_to("data") else folder / where)
        for path, where in content["paths"].items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / "params.yaml"
    written.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return read_params(written)


def detected(params: Params, part: str) -> tuple[Dataset, list[Detections]]:
    """The images of a part, and what the last weights of a run find in them."""
    paths = params.paths
    classes = read_label_map(paths.records / "label_map.pbtxt")
    images = Dataset(paths.records, classes, read_split(paths.records, part))
    network = build_network(read_pipeline_config(paths.pipeline_config), is_training=False)
    load_weights(network, paths.trained / "last" / "ckpt-0")
    return images, RecordsDetector(network, shards_of(paths.records, part), images.images, classes)()


def _scores(params: Params, part: str) -> dict[str, Any]:
    images, found = detected(params, part)
    figures = coco_figures(images, found)
    return {"images": len(images.images), "mAP": figures["mAP"], "AP50": figures["AP50"]}
