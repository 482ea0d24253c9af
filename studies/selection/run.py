"""All methods on one data set with one seed, in one process: features and the first training serve all of them."""

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
from tasks.errors import DataError
from tasks.model.label_map import LABEL_MAP, read_label_map
from tasks.tfrecords.tf_example import read_split, shards_of
from tasks.training.repeated import LabelledRecords, RepeatedTraining


def run_rounds(data: str, seed: int, study: SelectionParams, results: Path) -> list[Curve]:
    """Every method's rounds; its file is written into `results` when all have ended.

    Raises:
        DataError: the train split has fewer photos than are to be labelled.
        PipelineError: as the stages raise it.
    """
    # A run that was killed goes on: the folder stays until there are results.
    folder = Path("runs") / f"{data}-{seed}"
    training = {**study.changes.get("train", {}), "seed": seed}
    params = write_params(PARAMS, folder, Path("data") / data, {**study.changes, "train": training})
    records = params.paths.records
    pool, classes = read_pool(params), read_label_map(records / LABEL_MAP)
    if len(pool.names) < study.most:
        raise DataError(f"{records}: {len(pool.names)} training photos; `most` in trials.yaml is {study.most}")
    test = Dataset(records, classes, read_split(records, "test"))
    run_stages(("checkpoint", "configure"), params)
    images = Dataset(records, classes, (*read_split(records, "train"), *test.images))
    shards = [*shards_of(records, "train"), *shards_of(records, "test")]
    learner = RepeatedLearner(
        RepeatedTraining(
            params.train,
            LabelledRecords(records, shards, images),
            pipeline_config=params.paths.pipeline_config,
            base=params.paths.base,
            work=folder / "trainings",
        ),
        len(pool.names),
        test,
    )
    curves = []
    # Those that detect come first: the first training is at hand then, and the others need its scores only.
    for method, share in sorted(study.methods.items(), key=lambda item: item[1]):
        start = Curve(
            data=data,
            method=method,
            seed=seed,
            code=code_version("studies/selection/*.py"),
            steps=params.train.steps,
            test_images=len(test.images),
            pool=len(pool.names),
        )
        curves.append(run_method(start, study.sizes, share, pool, learner, folder / f"{method}.json"))
    results.mkdir(exist_ok=True)
    for curve in curves:
        write_artifact(results / f"{curve.key}.json", curve)
    shutil.rmtree(folder)
    return curves
