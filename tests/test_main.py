import subprocess
import sys
from pathlib import Path

import pytest

from tasks.__main__ import main
from tasks.stages import STAGES

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", [name for name, stage in STAGES.items() if stage.reads])
def test_a_stage_without_its_input_says_what_to_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([name, "--params", str(ROOT / "params.yaml")]) == 1
    message = capsys.readouterr().err
    assert message.startswith(f"{name}: ")
    assert f"`dvc repro {name}`" in message


def test_an_unknown_stage_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["trian"])
    assert "'train'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["sample", "ingest", "validate", "split", "records", "checkpoint", "configure", "report"]
)
def test_a_stage_that_needs_no_tensorflow_does_not_import_it(name: str) -> None:
    code = f"import sys; from tasks.stages import STAGES; STAGES[{name!r}].load(); print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
