import pytest

from tasks.errors import ConfigError
from tasks.lint.finding import Finding, in_order, percent, refuse_errors

INFO, WARNING = Finding("info", "a", "1", "why"), Finding("warning", "b", "2", "why", "remedy")
FIRST, SECOND = Finding("error", "c", "3", "why", "remedy"), Finding("error", "the d part", "", "why")


def test_errors_come_first_and_stay_in_order():
    assert in_order([INFO, FIRST, WARNING, SECOND]) == [FIRST, SECOND, WARNING, INFO]


def test_all_errors_are_told_at_once_and_nothing_else():
    with pytest.raises(ConfigError) as raised:
        refuse_errors([INFO, FIRST, WARNING, SECOND])
    assert str(raised.value).splitlines()[1:] == ["  c 3: why; remedy", "  the d part: why"]


def test_what_is_no_error_passes():
    refuse_errors([])
    refuse_errors([INFO, WARNING])


@pytest.mark.parametrize(
    ("share", "said"), [(0, "0 %"), (0.004, "less than 1 %"), (0.1034, "10 %"), (0.999, "99 %"), (1, "100 %")]
)
def test_only_all_is_a_hundred_percent_and_only_nothing_is_none(share, said):
    assert percent(share) == said
