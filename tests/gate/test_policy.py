"""What is done about each kind of problem, and what decides that."""

import pytest

from tasks.gate.policy import Policy


@pytest.mark.parametrize(
    ("policy", "kind", "expected"),
    [
        (Policy("fix", {}), "inverted_box", ("fix", "default")),
        (Policy("drop", {}), "inverted_box", ("drop", "on_problem: drop")),
        (Policy("fail", {}), "inverted_box", ("fail", "on_problem: fail")),
        (Policy("fix", {"inverted_box": "drop"}), "inverted_box", ("drop", "validate.policy")),
        (Policy("fix", {}), "missing_image", ("drop", "no choice")),
        (Policy("fail", {}), "missing_image", ("fail", "on_problem: fail")),
        (Policy("fail", {}), "no_objects", ("keep", "on_problem: fail")),
        (Policy("fix", {}), "from elsewhere", ("", "")),
    ],
)
def test_an_action_comes_with_what_decides_it(policy: Policy, kind: str, expected: tuple[str, str]) -> None:
    assert policy.decision(kind) == expected
