import pytest

from tasks.lint.rate import KNOWN_RATES, check_rate
from tests.training.train_params import train_params


def rate_findings(optimizer, rate, batch_size):
    return check_rate(train_params(optimizer=optimizer, learning_rate=rate, batch_size=batch_size))


@pytest.mark.parametrize("batch_size", [1, 8, 128])
@pytest.mark.parametrize("optimizer", KNOWN_RATES)
@pytest.mark.parametrize(
    ("times", "warned"), [(0.2499, True), (0.25, False), (1.0, False), (4.0, False), (4.001, True)]
)
def test_a_rate_within_four_times_of_what_works_passes(optimizer, batch_size, times, warned):
    usual = KNOWN_RATES[optimizer].at(batch_size)
    assert bool(rate_findings(optimizer, times * usual, batch_size)) is warned


def test_the_rate_scales_with_the_batch_for_momentum_and_with_its_root_for_adam():
    assert KNOWN_RATES["momentum"].at(64) == pytest.approx(0.04)
    assert KNOWN_RATES["adam"].at(32) == pytest.approx(0.002)


def test_the_zoos_rate_at_a_small_batch_gives_a_warning():
    (finding,) = rate_findings("momentum", 0.08, 8)
    assert (finding.level, finding.key, finding.value) == ("warning", "train.learning_rate", "0.08")
    assert "16 times what is known to work with momentum at train.batch_size 8" in finding.why
    assert finding.remedy == "try 0.005"


def test_a_rate_that_is_too_low_is_shown_as_a_fraction():
    (finding,) = rate_findings("adam", 0.0001, 8)
    assert "1/10 of what is known to work" in finding.why


@pytest.mark.parametrize(("rate", "warned"), [(1e-6, []), (0.004, []), (0.01, ["train.second_phase.learning_rate"])])
def test_the_rate_of_a_second_phase_may_be_low_but_not_high(rate, warned):
    second = {"steps": 100, "freeze": "none", "learning_rate": rate}
    found = check_rate(train_params(learning_rate=0.001, batch_size=8, second_phase=second))
    assert [finding.key for finding in found] == warned
