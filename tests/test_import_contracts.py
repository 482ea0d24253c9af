"""The import contracts of pyproject.toml break for imports that they are there to refuse."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# The file that is changed, and the import that is added to it.
_REFUSED = {
    "a stage of another": ("tasks/stages/validate.py", "from tasks.stages.ingest import ingest"),
    "a stage of the table": ("tasks/stages/split.py", "from tasks.stages.table import STAGES"),
    "a command of another": ("tasks/commands/summary.py", "from tasks.commands.explain import explain"),
    "tests in the pipeline": ("tasks/ground/text.py", "import tests.real_data"),
    "tests in the flows": ("flows/child.py", "from tests.malformed import case"),
    "keras in the gate": ("tasks/gate/policy.py", "import keras"),
    "tf_keras in the gate": ("tasks/gate/limits.py", "from tf_keras import layers"),
    "keras in a stage": ("tasks/stages/report.py", "import keras"),
    "tf_slim in a flow": ("flows/graph.py", "import tf_slim"),
}


def _all_but_code(folder, names):
    return [name for name in names if not name.endswith(".py") and not (Path(folder) / name / "__init__.py").exists()]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    for name in ("tasks", "flows", "bench", "studies"):
        shutil.copytree(ROOT / name, folder / name, ignore=_all_but_code)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for file, line in _REFUSED.values():
        path = folder / file
        path.write_text(path.read_text() + f"\n{line}\n")
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stdout


@pytest.mark.parametrize("case", _REFUSED)
def test_an_import_that_a_contract_refuses_is_reported(case, report):
    file, line = _REFUSED[case]
    imported = line.split()[1]
    named = imported if imported.startswith("tasks.") else imported.split(".")[0]
    broken = report[report.index("Broken contracts") :]
    assert f"{file.removesuffix('.py').replace('/', '.')} -> {named} " in broken
