from typing import Any

import pytest

from tasks.training.freeze import ModuleAudit
from tasks.training.resume import Progress
from tasks.training.summary import figures, what_limited
from tests.training.train_params import train_params


def account(**given: Any) -> dict[str, Any]:
    return {"seconds": 90.0, "waiting_s": 0.0, "validating_s": 0.0, "startup_s": 10.0, "frozen_variables": 0} | given


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {},
            "of 100 s: computing the steps 90%, waiting for images 0%, validations 0%, getting started 10%",
        ),
        ({"waiting_s": 50.0}, "waiting for images took longest: records.max_side_px"),
        ({"validating_s": 80.0}, "validations took most: a larger train.eval_every"),
        ({"startup_s": 200.0}, "getting started took most: longer runs"),
    ],
)
def test_the_longest_part_is_named_with_a_remedy(given: dict[str, Any], said: str) -> None:
    assert said in what_limited(account(**given), "none", cached=False, on_gpu=False)


@pytest.mark.parametrize(
    ("freeze", "frozen", "cached", "advice"),
    [
        ("none", 0, False, "train.freeze: 8, whose frozen part"),
        ("auto", 0, False, "weights to start from (checkpoint.source)"),
        ("auto", 70, False, "train.cache.use: memory"),
        (8, 70, True, "a GPU makes steps shorter, or a smaller model.name"),
    ],
)
def test_only_what_can_be_done_is_advised(freeze: int | str, frozen: int, cached: bool, advice: str) -> None:
    told = what_limited(account(frozen_variables=frozen), freeze, cached=cached, on_gpu=False)
    assert advice in told
    # The lint refuses a number of blocks where there are no weights, which is why `auto` froze nothing.
    assert ("train.freeze: 8" in told) == (freeze == "none")


def test_on_a_gpu_no_gpu_is_advised() -> None:
    assert "more GPUs" in what_limited(account(), "none", cached=False, on_gpu=True)


def test_steps_whose_gradient_was_clipped_are_counted() -> None:
    module = ModuleAudit("tower", 9, 0, 1, 0, 0, 0.5, 0.0, 0.0)
    steps = [
        {"step": step, "loss": 1.0, "step_ms": 100.0, "gradient_norm": norm}
        for step, norm in enumerate((4, 10, 11, 99))
    ]
    progress = Progress(step=4, history=[*steps, {"step": 4, "mAP": 0.5}])
    told = figures(progress, train_params(clip_norm=10.0), [module], startup_s=1.0, memory_mb={})
    assert told["clipped_steps"] == 2
