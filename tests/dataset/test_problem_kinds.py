import ast
import re
from pathlib import Path

from tasks.dataset.problem_kinds import KINDS

ROOT = Path(__file__).resolve().parents[2]


def emitted_kinds():
    """The first argument, where it is a constant, of every call that makes a problem in the code."""
    nodes = (node for path in (ROOT / "tasks").rglob("*.py") for node in ast.walk(ast.parse(path.read_text())))
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id="Problem" | "_Fault"), args=[ast.Constant(value=kind), *_]):
                yield kind


def test_every_kind_of_problem_is_documented_and_has_a_remedy():
    documented = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/data-gate.md").read_text(), re.MULTILINE)
    assert sorted(set(emitted_kinds())) == sorted(KINDS)
    assert sorted(documented) == sorted(KINDS)
