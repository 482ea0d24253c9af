"""What the studies' stages depend on, compared with what they import: a changed helper must leave no stale result."""

from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml
from dvc.repo import Repo
from dvc_objects.fs.local import localfs

from studies.stages import DATA_STAGES, TRAINING_STAGES
from tasks.params import read_params
from tasks.stages.table import STAGES

ROOT = Path(__file__).parents[2]
STUDIES = ROOT / "studies"
NAMES = ("base", "base_choice", "freeze", "recipes", "recommended", "sizes", "starts")


def modules_of(stages: tuple[str, ...]) -> list[str]:
    return [STAGES[name].function.split(":")[0] for name in stages]


# The modules that a stage runs. `import_module` hides those of the pipeline's stages from the closure of `run_stages`.
RUNS = {
    ("base", "materials"): ("studies.base.preparation",),
    ("base", "findings"): ("studies.base.findings",),
    ("base", "scenes"): ("studies.base.draw",),
    ("base", "data"): ("studies.stages", *modules_of(DATA_STAGES)),
    ("base", "train"): ("studies.stages", *modules_of(TRAINING_STAGES)),
    ("base", "pack"): ("studies.base.pack", "studies.base.scenes", "studies.base.classes"),
    ("freeze", "page"): ("studies.freeze.page",),
    ("base_choice", "table"): ("studies.trials.table",),
    ("recipes", "table"): ("studies.trials.table",),
    ("recommended", "table"): ("studies.trials.table",),
    ("sizes", "table"): ("studies.trials.table",),
    ("starts", "table"): ("studies.trials.table",),
}
# Hours of training: they depend on no code, and their results name its version (`code_version`).
VERSIONED = {
    ("base_choice", "data"),
    ("base_choice", "train"),
    ("freeze", "data"),
    ("freeze", "start"),
    ("freeze", "train"),
    ("freeze", "timing"),
    ("recipes", "data"),
    ("recipes", "train"),
    ("recommended", "data"),
    ("recommended", "train"),
    ("sizes", "data"),
    ("sizes", "train"),
    ("starts", "data"),
    ("starts", "train"),
}
# Params hold no values, and the table names only: tests/test_pipeline_definition.py. No study has a recipe.
VALUELESS = {"tasks", "tasks.params", "tasks.params.value_types", "tasks.params.recipes", "tasks.stages.table"}


@pytest.fixture(scope="module")
def import_graph() -> grimp.ImportGraph:
    return grimp.build_graph("tasks", "studies", exclude_type_checking_imports=False, cache_dir=None)


def stages_of(study: str) -> dict[str, Any]:
    stages: dict[str, Any] = yaml.safe_load((STUDIES / study / "dvc.yaml").read_text())["stages"]
    return stages


def code_of(study: str, stage: str) -> set[str]:
    """The deps that are code: folders below tasks/, and files of Python and templates."""
    content = stages_of(study)[stage]
    stated = content.get("do", content).get("deps", [])
    return {dep for dep in stated if dep.startswith(".tasks/") or dep.endswith((".py", ".j2")) or dep == "scenes"}


def rooms_of(study: str, modules: tuple[str, ...], graph: grimp.ImportGraph) -> set[str]:
    """Folders below tasks/, a stage's own module, the study's folders and files, and files of other studies."""
    upstream = {name for module in modules for name in {module, *graph.find_upstream_modules(module)}}
    return {as_dep(study, name) for name in upstream - VALUELESS if not name.startswith("studies") or not is_init(name)}


def is_init(name: str) -> bool:
    return name in ("studies", "studies.base", "studies.freeze", "studies.trials")


def as_dep(study: str, name: str) -> str:
    first, *rest = name.split(".")
    if first == "tasks":
        path = "/".join(rest if rest[0] == "stages" else rest[:1])
        return f".tasks/{path}" if (ROOT / "tasks" / path).is_dir() else f".tasks/{path}.py"
    if rest[0] != study:
        return f"../{'/'.join(rest)}.py"
    return rest[1] if (STUDIES / study / rest[1]).is_dir() else f"{rest[1]}.py"


@pytest.mark.parametrize("file", ["params.yaml", "base/params.yaml"])
def test_no_recipe_decides_a_value_of_a_study(file: str) -> None:
    assert read_params(STUDIES / file).train.recipe is None


@pytest.mark.parametrize("study", NAMES)
def test_every_stage_depends_on_its_code_or_names_its_version(study: str) -> None:
    stages = {(study, stage) for stage in stages_of(study)}
    assert stages == {pair for pair in (*RUNS, *VERSIONED) if pair[0] == study}


@pytest.mark.parametrize(("study", "stage"), RUNS, ids=map("/".join, RUNS))
def test_a_stage_depends_on_every_room_that_it_imports(study: str, stage: str, import_graph: grimp.ImportGraph) -> None:
    templates = {dep for dep in code_of(study, stage) if dep.endswith(".j2")}
    assert code_of(study, stage) - templates == rooms_of(study, RUNS[study, stage], import_graph)
    assert all((STUDIES / study / dep).exists() for dep in code_of(study, stage))


@pytest.mark.parametrize(("study", "stage"), sorted(VERSIONED), ids=map("/".join, sorted(VERSIONED)))
def test_a_stage_that_names_its_version_depends_on_no_code(study: str, stage: str) -> None:
    assert code_of(study, stage) == set()


def test_the_page_of_the_freeze_study_depends_on_its_template() -> None:
    assert "page.html.j2" in code_of("freeze", "page")


@pytest.mark.parametrize("study", NAMES)
def test_a_study_states_its_stages_in_at_most_200_lines(study: str) -> None:
    assert len((STUDIES / study / "dvc.yaml").read_text().splitlines()) <= 200


@pytest.mark.parametrize("study", NAMES)
def test_files_that_python_compiles_change_no_stage(study: str) -> None:
    with Repo(str(STUDIES / study)) as repo:
        files = list(repo.dvcignore.find(localfs, str(STUDIES / study / ".tasks" / "ground")))
    assert {Path(file).suffix for file in files} == {".py"}
    assert (STUDIES / study / ".tasks").readlink() == Path("../../tasks")
