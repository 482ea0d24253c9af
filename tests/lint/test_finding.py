import pytest

from tasks.artifacts.lint import Finding
from tasks.errors import ConfigError
from tasks.lint.finding import in_order, percent, refuse_errors

INFO, WARNING = Finding("info", "a", "1", "why"), Finding("warning", "b", "2", "why", "remedy")
FIRST, SECOND = Finding("error", "c", "3", "why", "remedy"), Finding("error", "the d split", "", "why")


def test_errors_come_first_and_keep_their_order():
    assert in_order([INFO, FIRST, WARNING, SECOND]) == [FIRST, SECOND, WARNING, INFO]


def test_all_errors_are_listed_at_once_and_nothing_else():
    with pytest.raises(ConfigError) as raised:
        refuse_errors([INFO, FIRST, WARNING, SECOND])
    assert str(raised.value).splitlines()[1:] == ["  c 3: why; remedy", "  the d split: why"]


def test_warnings_and_infos_do_not_stop_the_run():
    refuse_errors([])
    refuse_errors([INFO, WARNING])


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (0.004, "less than 1 %"), (0.1034, "10 %"), (0.999, "99 %"), (1, "100 %")]
)
def test_only_all_is_a_hundred_percent_and_only_none_is_zero(share, text):
    assert percent(share) == text
