from typing import Any

import pytest

from tasks.artifacts.training import TrainingFigures
from tasks.model.schedule import phases_of
from tasks.training.phases import PhaseAudit
from tasks.training.progress import Progress
from tasks.training.summary import training_figures, what_limited
from tests.artifacts.training_files import figures_of_a_run, module_audit
from tests.training.history import step_row, validation_row
from tests.training.train_params import train_params


def run_of_100_s(**changes: Any) -> TrainingFigures:
    seconds = {"seconds": 90.0, "startup_s": 10.0, "waiting_s": 0.0, "validating_s": 0.0}
    return figures_of_a_run(**{**seconds, **changes})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "of 100 s: computing the steps 90%, waiting for images 0%, validations 0%, getting started 10%"),
        ({"waiting_s": 50.0}, "waiting for images took longest: records.max_side_px"),
        ({"validating_s": 80.0}, "validations took most: a larger train.eval_every"),
        ({"startup_s": 200.0}, "getting started took most: a longer run"),
    ],
)
def test_what_took_longest_is_named_with_a_remedy(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in what_limited(run_of_100_s(**changes), "none", cached=False, on_gpu=False)


@pytest.mark.parametrize(
    ("freeze", "frozen", "cached", "advice"),
    [
        ("none", 0, False, "train.freeze: 8, whose frozen layers"),
        ("auto", 0, False, "weights to start from (checkpoint.source)"),
        ("auto", 70, False, "train.cache.use: memory"),
        (8, 70, True, "a GPU makes steps shorter, or a smaller model.side_px"),
    ],
)
def test_only_what_can_be_done_is_advised(freeze: int | str, frozen: int, cached: bool, advice: str) -> None:
    sentence = what_limited(run_of_100_s(frozen_variables=frozen), freeze, cached=cached, on_gpu=False)
    assert advice in sentence
    # The lint refuses a number of blocks where there are no weights, which is why `auto` froze nothing.
    assert ("train.freeze: 8" in sentence) == (freeze == "none")


def test_a_run_on_a_gpu_is_not_advised_to_use_one() -> None:
    assert "more GPUs" in what_limited(run_of_100_s(), "none", cached=False, on_gpu=True)


def test_steps_whose_gradient_was_clipped_are_counted() -> None:
    steps = [step_row(step, gradient_norm=norm) for step, norm in enumerate((4, 10, 11, 99), start=1)]
    progress = Progress(step=4, stopped_by="steps", history=[*steps, validation_row(4)])
    params = train_params(clip_norm=10.0)
    figures = training_figures(
        progress,
        params,
        [PhaseAudit(phases_of(params)[0], [module_audit()])],
        startup_s=1.0,
        peak_memory_mb=1.0,
        peak_gpu_memory_mb=None,
    )
    assert figures.clipped_steps == 2
