"""Commands, targets, models and formats that the docs name exist, and those that exist are documented."""

import re
import shlex
from pathlib import Path

import pytest

from tasks.model.definitions import MODELS
from tasks.params import FORMATS
from tasks.parsers import parser
from tasks.stages.table import STAGES
from tests.command_names import COMMANDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "tasks/report_page/template.html.j2")),
    *(ROOT / "docs").rglob("*.md"),
]
# In code spans and code blocks; a comment may follow.
DOCUMENTED = sorted(
    {
        (page.relative_to(ROOT).as_posix(), " ".join(shlex.split(line, comments=True)))
        for page in PAGES
        for line in re.findall(r"python -m tasks ([a-z][^`\n]*)", page.read_text())
    }
)


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_is_documented(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "docs/stages.md").read_text()


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_documented_and_named_in_params_yaml(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/models.md").read_text()
    assert name in (ROOT / "params.yaml").read_text()


@pytest.mark.parametrize("name", FORMATS)
def test_every_annotation_format_is_documented_and_named_in_params_yaml(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "docs/your-data.md").read_text()
    assert re.search(rf"format: auto .*\b{name}\b", (ROOT / "params.yaml").read_text())


@pytest.mark.parametrize(("page", "command"), DOCUMENTED)
def test_every_documented_command_parses(page: str, command: str) -> None:
    # The parser ends the process, and the test, where it refuses one.
    assert parser().parse_args(shlex.split(command)).command in COMMANDS, page


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in STAGES])
def test_every_command_is_documented(name: str) -> None:
    assert name in {command.split()[0] for _, command in DOCUMENTED} or any(
        f"make {name} " in page.read_text() for page in PAGES
    )


def test_every_make_target_that_is_named_exists() -> None:
    named = {name for page in PAGES for name in re.findall(r"make ([a-z-]+)`", page.read_text())}
    assert {"run", "test", "check"} <= named
    assert {name for name in named if f"\n{name}:" not in MAKEFILE} == set()


def test_every_link_leads_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#]+)\)", page.read_text())]
    local = [(page, link) for page, link in links if not link.startswith("http")]
    assert len(local) > 6
    assert [(page.name, link) for page, link in local if not (page.parent / link).exists()] == []


def test_a_tried_value_is_tried_on_a_fresh_copy_of_its_preset() -> None:
    # `-S` writes into params.yaml, and the next command would run with it too.
    blocks = re.findall(r"```\n(.*?)```", (ROOT / "docs/systems.md").read_text(), flags=re.DOTALL)
    tried = [block.splitlines() for block in blocks if "dvc exp run" in block]
    assert sum(" -S " in line for lines in tried for line in lines) >= 2
    for lines in tried:
        before = [lines[place - 1] for place, line in enumerate(lines) if "dvc exp run" in line]
        assert all(re.fullmatch(r"cp presets/\w+\.yaml params\.yaml", line) for line in before)


def test_ci_calls_the_readmes_commands() -> None:
    assert [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line.startswith("make")] == [
        "make check",
        "make test",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "requirements.txt",
        "requirements-dev.txt",
        "requirements-gpu.txt",
        "requirements-fuzz.txt",
        "requirements-uv.txt",
    ],
)
def test_requirements_are_pinned_with_hashes_and_name_no_address(name: str) -> None:
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.lstrip().startswith("#")]
    packages = [line for line in lines if not line.startswith(" ")]
    assert packages
    assert [line for line in packages if "==" not in line] == []
    assert sum("--hash=sha256:" in line for line in lines) >= len(packages)
    assert "://" not in "\n".join(lines)


def test_every_direct_dependency_says_why() -> None:
    for path in ROOT.glob("requirements*.in"):
        for line in path.read_text().splitlines():
            if line and not line.startswith(("#", "-")) and path.name != "requirements-uv.in":
                assert "#" in line, f"{path.name}: {line}"
