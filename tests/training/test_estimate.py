from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tasks.model.schedule import phases_of
from tasks.params import TrainParams
from tasks.stages.train import train
from tasks.training import estimate
from tasks.training.estimate import Estimator, Timing, forecast, shortage, step_seconds
from tasks.training.progress import Progress
from tests.training.train_params import train_params

SECOND = {"steps": 100, "freeze": "none", "learning_rate": 1e-4}
TIMING = Timing(step_s=0.5, traced_s=10.0, fill_s=40.0, image_s=0.03, trunk_s=0.01)


def params(**changes: object) -> TrainParams:
    return train_params(**{"steps": 300, "batch_size": 8, "eval_every": 100, "freeze": 8, **changes})


def test_steps_and_validations_that_are_left_count() -> None:
    (phase,) = phases_of(params())
    whole = forecast([phase], 0, TIMING, val_images=50)
    assert whole.steps == [(300, 0.5)]
    assert whole.validations == 3
    # An image: what filling took, and detecting from the features.
    assert whole.validation_s == pytest.approx(50 * (0.03 + 0.4 * 0.5 / 8))
    assert whole.total_s == pytest.approx(150 + 3 * whole.validation_s + 6)
    resumed = forecast([phase], 250, TIMING, val_images=50)
    assert (resumed.steps, resumed.validations) == ([(50, 0.5)], 1)
    assert forecast([phase], 0, TIMING, val_images=0).total_s == 150


def test_one_validation_is_one() -> None:
    once = forecast(phases_of(params(eval_every=900)), 0, TIMING, val_images=50)
    assert "(300 steps of 0.5 s, 1 validation of" in once.text(0.0)


@pytest.mark.parametrize(("steps", "validations"), [(300, 3), (299, 3), (301, 4), (99, 1)])
def test_the_last_step_is_validated_once(steps: int, validations: int) -> None:
    assert forecast(phases_of(params(steps=steps)), 0, TIMING, val_images=5).validations == validations


def test_a_second_phase_is_longer_by_what_the_first_does_not_compute() -> None:
    phases = phases_of(params(second_phase=SECOND))
    both = forecast(phases, 0, TIMING, val_images=50)
    assert both.steps == [(300, 0.5), (100, pytest.approx(0.5 + 8 * (0.03 + 0.02)))]
    assert both.validations == 4
    assert both.starting_s == pytest.approx(6 + 12)
    assert forecast(phases, 350, TIMING, val_images=50).steps == [(50, 0.5)]
    same = forecast(phases_of(params(second_phase={**SECOND, "freeze": 8})), 0, TIMING, val_images=50)
    assert same.steps[1] == (100, 0.5)
    assert same.starting_s == pytest.approx(6 + 12 + 40)


def test_without_a_cache_a_phase_that_freezes_less_has_longer_steps() -> None:
    plain = Timing(step_s=1.0, traced_s=10.0)
    steps = forecast(phases_of(params(second_phase=SECOND)), 0, plain, val_images=50).steps
    assert steps == [(300, 1.0), (100, pytest.approx(1.4))]


def test_the_time_taken_ends_with_the_last_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter([1000.0, 1150.0])
    monkeypatch.setattr("tasks.training.estimate.time.monotonic", lambda: next(now))
    estimator = Estimator(phases_of(params()), 0)
    estimator.announce(Progress(), 0.5, 10.0, 0.0)
    estimator.ended()
    figures = estimator.figures()
    assert figures is not None
    assert (figures.seconds, figures.took_s) == (150.0, 150.0)
    assert capsys.readouterr().out == "train: about 2 minutes from here on this machine (300 steps of 0.5 s)\n"


def test_the_sentence_has_every_part() -> None:
    text = forecast(phases_of(params(second_phase=SECOND)), 0, TIMING, val_images=50).text(40.0)
    assert text == (
        "about 4 minutes from here on this machine (300 steps of 0.5 s, then 100 of about 0.9 s, 4 validations of "
        "2.8 s); computing the frozen layers took 40 s"
    )


@pytest.mark.parametrize(("minutes", "fits"), [(None, None), (10.0, None), (1.25, "49%")])
def test_too_few_minutes_for_a_recipe_give_one_sentence(minutes: float | None, fits: str | None) -> None:
    own = params(max_minutes=minutes, recipe="quick")
    said = shortage(own, Progress(), forecast(phases_of(own), 0, TIMING, val_images=10))
    assert (said is None) == (fits is None)
    if said and fits:
        assert said.startswith("train.max_minutes 1.25 is too short for train.recipe quick, of which about " + fits)


def test_timing_steps_changes_no_value() -> None:
    variable, count = tf.Variable([1.0, 2.0]), tf.Variable(3, dtype=tf.int64)
    calls = []

    def step(batch: tf.Tensor) -> dict[str, tf.Tensor]:
        variable.assign_add(tf.ones(2) * tf.cast(batch, tf.float32))
        count.assign_add(1)
        calls.append(int(batch))
        return {"loss": variable[0]}

    seconds = step_seconds(step, tf.data.Dataset.range(1, 100), [variable, count])
    assert seconds > 0
    assert set(calls) == {1}
    np.testing.assert_array_equal(variable, [1.0, 2.0])
    assert int(count) == 3


def test_a_run_that_is_over_at_once_is_not_estimated() -> None:
    estimator = Estimator(phases_of(params(steps=39)), 5)
    assert not estimator.is_due(Progress())
    assert estimator.figures() is None
    assert Estimator(phases_of(params(steps=39, second_phase=SECOND)), 5).is_due(Progress())


def test_a_run_that_was_killed_after_patience_had_ended_it_is_not_estimated() -> None:
    estimator = Estimator(phases_of(params(steps=300)), 5)
    assert estimator.is_due(Progress(step=100))
    assert not estimator.is_due(Progress(step=100, stopped_by="patience"))


@pytest.mark.slow
@pytest.mark.parametrize("freeze", ["none", 2])
def test_a_run_that_was_estimated_ends_with_the_bits_of_one_that_was_not(
    freeze: str | int,
    stage_inputs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def weights(name: str) -> dict[str, object]:
        out = tmp_path / name
        train(
            train_params(
                steps=4,
                batch_size=2,
                eval_every=2,
                save_every=2,
                freeze=freeze,
                ema_decay=0.5,
                cache={"use": "memory", "copies": 1, "dtype": "float32", "memory_mb": 100},
                second_phase={"steps": 3, "freeze": "none", "learning_rate": 1e-3},
            ),
            pipeline_config=stage_inputs / "pipeline.config",
            records=stage_inputs / "records",
            base=stage_inputs / "base",
            trained=out / "trained",
            metrics_train=out / "train.json",
            plots_train=out / "plots",
            resume=out / "resume",
            tensorboard=out / "logs",
        )
        reader = tf.train.load_checkpoint(str(out / "trained/last/ckpt-0"))
        names = [name for name in reader.get_variable_to_shape_map() if name.startswith("model/")]
        return {name: reader.get_tensor(name) for name in names}

    plain = weights("plain")
    assert "from here on this machine" not in capsys.readouterr().out
    monkeypatch.setattr(estimate, "LEAST_STEPS", 1)
    estimated = weights("estimated")
    assert "from here on this machine (4 steps of" in capsys.readouterr().out
    assert '"took_s"' in (tmp_path / "estimated/train.json").read_text()
    assert plain.keys() == estimated.keys()
    for name, value in plain.items():
        np.testing.assert_array_equal(estimated[name], value)
