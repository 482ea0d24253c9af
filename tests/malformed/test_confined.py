"""The checks on malformed inputs can fail: each of them is shown what it is there for."""

import pytest

from tests.malformed.confined import Confined
from tests.malformed.outcome import acting, faults_of


@pytest.fixture(scope="module")
def confined():
    with Confined() as confined:
        yield confined


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hog", "held 1"),
        ("hang", "did not end in time"),
        ("stumble", "RuntimeError: a bug"),
        ("catch", "ended with 1: Traceback"),
        ("litter", "left .annotations.json.1.partial"),
        ("act", r"printed '\x1b'"),
        ("act", r"printed '\u202e'"),
        ("act", r"wrote '\x9b'"),
    ],
)
def test_misbehaviour_is_noticed(tmp_path, confined, name, message):
    ended = confined.run(tmp_path, entry=f"tests.malformed.misbehaving:{name}", max_seconds=1 if name == "hang" else 60)
    assert [fault for fault in faults_of(ended, tmp_path) if message in fault]


def test_good_behaviour_is_accepted_after_misbehaviour(tmp_path, confined):
    ended = confined.run(tmp_path, "--help")
    assert faults_of(ended, tmp_path) == []
    assert "usage: python -m tasks" in ended.printed


def test_letters_of_any_script_and_progress_bars_are_harmless():
    assert acting("猫 קוף \U0001f986 50%|\u2588\u258c |\r\n") == set()
