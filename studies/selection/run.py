"""All methods on one data set with one seed, in one process: features and the first training serve all of them."""

import hashlib
import shutil
from pathlib import Path

from studies.selection.data import read_pool
from studies.selection.learner import RepeatedLearner
from studies.selection.params import SelectionParams
from studies.selection.result import Curve
from studies.selection.rounds import run_method
from studies.stages import PARAMS, code_version, run_stages, write_params
from tasks.artifacts.artifact import write_artifact
from tasks.dataset.dataset import Dataset
from tasks.errors import DataError, TrainingError
from tasks.ground.unfinished import unfinished_work
from tasks.model.label_map import LABEL_MAP, read_label_map
from tasks.params import Params
from tasks.tfrecords.tf_example import read_split, shards_of
from tasks.training.repeated import LabelledRecords, RepeatedTraining
from tasks.training.resume import run_key


def run_rounds(data: str, seed: int, study: SelectionParams, results: Path) -> list[Curve]:
    """Every method's rounds; its file is written into `results` when all have ended.

    Raises:
        DataError: the train split has fewer photos than are to be labelled.
        TrainingError: another process does the same.
        PipelineError: as the stages raise it.
    """
    folder = Path("runs") / f"{data}-{seed}"
    training = {**study.changes.get("train", {}), "seed": seed}
    params = write_params(PARAMS, folder, Path("data") / data, {**study.changes, "train": training})
    paths = params.paths
    pool = read_pool(params)
    if len(pool.names) < study.most:
        raise DataError(f"{paths.records}: {len(pool.names)} training photos; `most` in trials.yaml is {study.most}")
    test = _images(paths.records, "test")
    run_stages(("checkpoint", "configure"), params)
    code = code_version("studies/selection/*.py")
    start = Curve(
        data=data,
        method="",
        seed=seed,
        code=code,
        steps=params.train.steps,
        test_images=len(test.images),
        pool=len(pool.names),
    )
    facts = [run_key(params.train, paths.pipeline_config, paths.records, paths.base), code, study.model_dump_json()]
    key = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
    busy = TrainingError(f"{folder}: another process is using this folder; wait for it, or end it")
    # A run that was killed goes on: what it has done stays until there are results.
    with unfinished_work(folder / "work", key, busy) as work:
        learner = RepeatedLearner(_training(params, test, work), len(pool.names), test)
        # Those that detect come first: the first training is at hand then, and the others need its scores only.
        curves = [
            run_method(
                start.model_copy(update={"method": method}), study.sizes, share, pool, learner, work / f"{method}.json"
            )
            for method, share in sorted(study.methods.items(), key=lambda item: item[1])
        ]
        results.mkdir(exist_ok=True)
        for curve in curves:
            write_artifact(results / f"{curve.key}.json", curve)
    shutil.rmtree(folder)
    return curves


def _training(params: Params, test: Dataset, work: Path) -> RepeatedTraining:
    """On the images of the train split, then those of `test`."""
    paths = params.paths
    images = Dataset(test.root, test.classes, (*_images(paths.records, "train").images, *test.images))
    shards = [*shards_of(paths.records, "train"), *shards_of(paths.records, "test")]
    records = LabelledRecords(paths.records, shards, images)
    return RepeatedTraining(
        params.train, records, pipeline_config=paths.pipeline_config, base=paths.base, work=work / "trainings"
    )


def _images(records: Path, split: str) -> Dataset:
    return Dataset(records, read_label_map(records / LABEL_MAP), read_split(records, split))
