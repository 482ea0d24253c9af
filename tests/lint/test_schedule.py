import pytest
import tensorflow as tf

from tasks.lint.schedule import check_amount, check_schedule, last_rate_share
from tasks.training.optimizing import WarmupCosine
from tests.training.train_params import train_params


def keys(found):
    return [(finding.level, finding.key) for finding in found]


@pytest.mark.parametrize(("warmup_steps", "warned"), [(0, False), (99, False), (100, True), (300, True)])
def test_a_warm_up_of_a_third_of_the_steps_gives_a_warning(warmup_steps, warned):
    found = check_schedule(train_params(steps=300, warmup_steps=warmup_steps))
    assert keys(found) == ([("warning", "train.warmup_steps")] if warned else [])


def test_the_remedy_for_a_long_warm_up_gives_no_warning():
    for steps in (1, 2, 5, 300):
        (found,) = check_schedule(train_params(steps=steps, warmup_steps=steps, eval_every=1, save_every=1))
        remedy = int(found.remedy.removeprefix("try "))
        assert check_schedule(train_params(steps=steps, warmup_steps=remedy, eval_every=1, save_every=1)) == []


@pytest.mark.parametrize(
    ("decay_steps", "outcome"),
    [
        (None, None),
        (4000, None),
        (50_000, "the rate is 99% of train.learning_rate"),
        (3000, "the rate is 0 for the last 1000 of 4000 steps"),
    ],
)
def test_a_decay_that_does_not_end_with_the_run_gives_a_warning(decay_steps, outcome):
    found = check_schedule(train_params(steps=4000, warmup_steps=1000, decay_steps=decay_steps))
    assert keys(found) == ([("warning", "train.decay_steps")] if outcome else [])
    assert all(outcome in str(finding) for finding in found)


@pytest.mark.parametrize(("steps", "warmup_steps", "decay_steps"), [(4000, 1000, 50_000), (50, 60, 200), (9, 0, 20)])
def test_the_share_of_the_rate_at_the_last_step_is_that_of_training(steps, warmup_steps, decay_steps):
    schedule = WarmupCosine(1.0, warmup_steps, decay_steps)
    params = train_params(steps=steps, warmup_steps=warmup_steps, decay_steps=decay_steps)
    assert last_rate_share(params) == pytest.approx(float(schedule(tf.constant(steps))), abs=1e-6)


def test_before_a_second_phase_there_is_a_validation_and_all_is_saved() -> None:
    second = {"steps": 100, "freeze": "none", "learning_rate": 0.001}
    assert check_schedule(train_params(steps=100, second_phase=second, eval_every=900, save_every=900)) == []


@pytest.mark.parametrize("key", ["eval_every", "save_every"])
@pytest.mark.parametrize(("value", "noted"), [(300, False), (301, True)])
def test_an_interval_longer_than_the_run_is_noted(key, value, noted):
    found = check_schedule(train_params(**{"steps": 300, key: value}))
    assert keys(found) == ([("info", f"train.{key}")] if noted else [])


@pytest.mark.parametrize(("images", "warned"), [(8, False), (7, True)])
def test_a_batch_larger_than_the_train_split_gives_a_warning(images, warned):
    found = check_amount(train_params(steps=10, batch_size=8), images)
    assert keys(found) == ([("warning", "train.batch_size")] if warned else [])


@pytest.mark.parametrize(("images", "outcome"), [(80, None), (81, "80 of 81 training images: 1 are never seen")])
def test_images_that_are_never_seen_are_counted(images, outcome):
    found = check_amount(train_params(steps=10, batch_size=8), images)
    assert [finding.why.partition("that is ")[2] for finding in found] == ([outcome] if outcome else [])
    if outcome:
        assert found[0].remedy == "set it to 11 or more"


@pytest.mark.parametrize(("steps", "warned"), [(500, False), (501, True)])
def test_more_than_five_hundred_epochs_give_a_warning(steps, warned):
    found = check_amount(train_params(steps=steps, batch_size=8), 8)
    assert keys(found) == ([("warning", "train.steps")] if warned else [])


def test_each_phase_is_checked_by_its_own_steps():
    second = {"steps": 90, "freeze": "none", "learning_rate": 1e-4}
    found = check_schedule(train_params(steps=300, warmup_steps=30, second_phase=second))
    assert keys(found) == [("warning", "train.warmup_steps")]
    assert "a third of train.second_phase.steps 90 or more" in found[0].why


def test_the_steps_of_both_phases_count_for_the_images_seen():
    second = {"steps": 5, "freeze": "none", "learning_rate": 1e-4}
    assert check_amount(train_params(steps=10, batch_size=8, second_phase=second), 120) == []
    assert check_amount(train_params(steps=10, batch_size=8), 120) != []


def test_the_shipped_recipe_passes_with_the_sample_data():
    assert check_schedule(train_params()) == check_amount(train_params(), 110) == []
