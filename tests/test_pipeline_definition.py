"""dvc.yaml, the stage table and the code say the same: else a changed helper would leave a stale result standing."""

import ast
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml

from tasks.params import Params, read_params
from tasks.report_page.param_table import UNWATCHED
from tasks.stages.table import STAGES, Stage

ROOT = Path(__file__).parent.parent
# Their values reach a stage by the params that it is given.
WITHOUT_VALUES = {"tasks.params", "tasks.params.value_types", "tasks.params.recipes"}


@pytest.fixture(scope="module")
def dvc_stages() -> dict[str, Any]:
    stages: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    return stages


@pytest.fixture(scope="module")
def import_graph() -> grimp.ImportGraph:
    # Imports for types alone count: what a type says of a value decides what is computed from it.
    return grimp.build_graph("tasks", exclude_type_checking_imports=False, cache_dir=None)


@pytest.fixture(scope="module")
def params() -> Params:
    return read_params(ROOT / "params.yaml")


def paths_of(entries: list[Any]) -> set[str]:
    return {entry if isinstance(entry, str) else next(iter(entry)) for entry in entries}


def rooms_of(module: str, graph: grimp.ImportGraph) -> set[str]:
    """What a change must rerun: the module itself, and of what it imports the folders.

    Not `params` and its types, which hold no values, nor `recipes`, whose values reach a stage by its params.
    """
    modules = {module, *graph.find_upstream_modules(module)}
    modules |= {name for own in modules for name in named_modules(own)}
    parts = [name.split(".") for name in modules - {module, "tasks", *WITHOUT_VALUES}]
    below = {"/".join(part[:2]) for part in parts}
    return {f"{module.replace('.', '/')}.py"} | {room if (ROOT / room).is_dir() else f"{room}.py" for room in below}


def named_modules(module: str) -> set[str]:
    """Modules that `module` names as text, `module:function`, to import them when they are used."""
    path = ROOT / f"{module.replace('.', '/')}.py"
    constants = ast.walk(ast.parse(path.read_text())) if path.is_file() else ()
    texts = [node.value for node in constants if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return {text.partition(":")[0] for text in texts if re.fullmatch(r"tasks(\.\w+)+:\w+", text)}


def tracked(stage: Stage, params: Params) -> set[str]:
    """Whole sections, or every key but the untracked ones where a section has such."""
    names: set[str] = set()
    for section in stage.sections:
        keys = {f"{section}.{key}" for key in params.section(section).model_dump()}
        left_out = keys & set(stage.untracked)
        names |= keys - left_out if left_out else {section}
    return names


def test_dvc_yaml_has_exactly_the_stages_of_the_table(dvc_stages: dict[str, Any]) -> None:
    assert list(dvc_stages) == list(STAGES)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_its_module_and_on_every_room_that_it_imports(
    name: str, dvc_stages: dict[str, Any], import_graph: grimp.ImportGraph
) -> None:
    deps = {dep for dep in paths_of(dvc_stages[name]["deps"]) if dep.startswith("tasks/")}
    recipes = {"tasks/params/recipes.py"} if "train" in STAGES[name].sections else set()
    assert deps == rooms_of(STAGES[name].function.split(":")[0], import_graph) | recipes
    assert 3 <= sum((ROOT / dep).is_dir() for dep in deps) <= 10


def test_every_stage_that_is_given_a_recipes_values_depends_on_the_recipes(dvc_stages: dict[str, Any]) -> None:
    dependent = {name for name, entry in dvc_stages.items() if "tasks/params/recipes.py" in paths_of(entry["deps"])}
    assert dependent == {"configure", "train", "evaluate", "report"}


def test_the_report_lists_no_param_that_dvc_does_not_watch_for_it() -> None:
    assert set(UNWATCHED) == set(STAGES["report"].untracked)


@pytest.mark.parametrize("name", STAGES)
def test_dvc_tracks_the_params_and_paths_that_a_stage_is_given(
    name: str, dvc_stages: dict[str, Any], params: Params
) -> None:
    stage, entry = STAGES[name], dvc_stages[name]
    assert set(entry["params"]) == tracked(stage, params)
    deps = {match[1] for dep in entry["deps"] if (match := re.fullmatch(r"\$\{paths\.(\w+)\}.*", str(dep)))}
    assert deps == set(stage.reads)
    outs = paths_of(entry.get("outs", []) + entry.get("metrics", []) + entry.get("plots", []))
    assert {re.fullmatch(r"\$\{paths\.(\w+)\}(/[\w.]+)?", out)[1] for out in outs} == set(stage.writes)  # type: ignore[index]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_run_by_its_own_name(name: str, dvc_stages: dict[str, Any]) -> None:
    assert dvc_stages[name]["cmd"] == f"${{run}} {name}"


@pytest.mark.parametrize("has_own", [True, False])
@pytest.mark.parametrize("folder_of_run", [".", ".dvc/tmp/exps/tmp1", ".dvc/tmp/exps/standalone/tmp1"])
def test_stages_run_by_the_projects_own_python_whatever_is_activated(
    folder_of_run: str, has_own: bool, tmp_path: Path
) -> None:
    """Also in the folders of `dvc exp run --queue` and `--temp`, which have no environment of their own."""
    (own, other) = (tmp_path / "clone with spaces/.venv/bin", tmp_path / "other")
    for folder in (own, other) if has_own else (other,):
        folder.mkdir(parents=True)
        (folder / "python").write_text(f"#!/bin/sh\necho {folder.name} $*\n")
        (folder / "python").chmod(0o755)
    here = tmp_path / "clone with spaces" / folder_of_run
    here.mkdir(parents=True, exist_ok=True)
    command = yaml.safe_load((ROOT / "dvc.yaml").read_text())["vars"][0]["run"] + " sample"
    environment = {**os.environ, "PATH": f"{other}:{os.environ['PATH']}"}
    for shell in ("sh", "bash"):
        done = subprocess.run(
            [shell, "-c", command],
            cwd=here,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"{'bin' if has_own else 'other'} -m tasks sample\n"


@pytest.mark.parametrize(("name", "stage"), STAGES.items(), ids=list(STAGES))
def test_the_table_matches_what_the_stage_function_takes(name: str, stage: Stage) -> None:
    # Read, not imported: four of them import TensorFlow.
    module, function = stage.function.split(":")
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())
    (definition,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
    assert {argument.arg for argument in definition.args.kwonlyargs} == {
        *(*stage.reads, *stage.shows),
        *(*stage.writes, *stage.scratch),
    }
    named = len(definition.args.args)
    assert named == len(stage.sections) or (definition.args.vararg and named < len(stage.sections))
    assert function == name


def test_no_path_is_written_twice(params: Params) -> None:
    paths = list(params.paths.model_dump().values())
    assert len(paths) == len(set(paths))
    text = re.sub(r"#.*", "", (ROOT / "dvc.yaml").read_text())
    literal = [str(path) for path in paths if re.search(rf"(?<![\w/]){re.escape(str(path))}(?![\w.])", text)]
    assert literal == []


def test_nothing_is_imported_by_name_but_through_one_function() -> None:
    """Else no contract and no closure of a stage would see it.

    Label Studio's settings run in its own process; the OD API's imports are of packages alone.
    """
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "tasks").rglob("*.py")]
    users = {file for file in files if re.search(r"import_module|__import__|exec_module", (ROOT / file).read_text())}
    assert users == {
        "tasks/ground/imports.py",
        "tasks/ground/od_api_imports.py",
        "tasks/annotating/label_studio/guarded_settings.py",
    }


@pytest.mark.parametrize("package", ["tasks", "tasks/stages"])
def test_what_every_stage_passes_through_runs_no_code(package: str) -> None:
    """No stage depends on these two files."""
    (docstring,) = ast.parse((ROOT / package / "__init__.py").read_text()).body
    assert isinstance(docstring, ast.Expr)
