import errno
import inspect
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.__main__ import main
from tasks.artifacts.training import write_training_figures
from tasks.ground.files import write_json
from tasks.ground.imports import import_object
from tasks.parsers import parser
from tasks.stages.table import STAGES
from tests.artifacts.training_files import figures_of_a_run
from tests.command_names import COMMANDS

ROOT = Path(__file__).parents[1]


def example_of(name: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The arguments of the example at the end of a command's help."""
    with pytest.raises(SystemExit):
        main([name, "--help"])
    (example,) = re.findall(r"^example: python -m tasks (.*)$", capsys.readouterr().out, flags=re.MULTILINE)
    return shlex.split(example)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_parses(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert parser().parse_args(example_of(name, capsys)).command == name


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in STAGES])
def test_a_command_is_a_function_that_takes_its_options_as_keyword_arguments(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = vars(parser().parse_args(example_of(name, capsys))).keys() - {"command"}
    function = name.replace("-", "_")
    arguments = inspect.signature(import_object(f"tasks.commands.{function}:{function}")).parameters
    assert arguments.keys() == options
    assert {argument.kind for argument in arguments.values()} == {inspect.Parameter.KEYWORD_ONLY}


def test_the_help_says_what_each_stage_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert [name for name, stage in STAGES.items() if f"{name} stage: {stage.help}" not in text] == []
    assert "tasks.stages" not in text


@pytest.mark.parametrize("name", [name for name, stage in STAGES.items() if stage.reads])
def test_a_stage_without_its_input_names_the_command_that_makes_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([name, "--params", str(ROOT / "params.yaml")]) == 1
    message = capsys.readouterr().err
    assert message.startswith(f"{name}: ")
    assert f"`dvc repro {name}`" in message


def test_an_unknown_command_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["trian"])
    assert "'train'" in capsys.readouterr().err


def test_a_stage_that_needs_no_tensorflow_does_not_import_it() -> None:
    names = ["sample", "ingest", "validate", "split", "records", "checkpoint", "configure", "report"]
    # One process for all of them: what none of them imports, no one of them does.
    code = (
        "import sys; from tasks.stages.table import STAGES\n"
        f"for name in {names}: STAGES[name].load(); print(name, 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{name} False" for name in names]


def test_reading_the_command_line_imports_no_heavy_package() -> None:
    heavy = {"matplotlib", "pandas", "tensorflow", "numpy", "scipy", "PIL", "lxml", "httpx"}
    code = f"import sys; from tasks.parsers import parser; parser(); print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_summary_shows_the_figures_of_all_metrics_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["summary", "--params", str(ROOT / "params.yaml")]
    assert main(arguments) == 1
    assert "metrics/data.json: no such file; run `dvc repro`" in capsys.readouterr().err
    model = {"mAP": 0.5, "AP50": 0.75, "AP75": None, "AR100": 0.625, "per_class": {"cat": {"AP": 0.25}}}
    ends = {"mAP_low": 0.4125, "mAP_high": 0.5875, "AP50_low": None, "AP50_high": None}
    for name, content in {
        "data": {"images": 9, "boxes": 12, "dropped_images": 1, "dropped_boxes": 2, "fixed_boxes": 3},
        "evaluate": {
            "images": 3,
            "saved_model": model | ends,
            "variants": {"dynamic": model, "float32": model, "int8": model},
        },
    }.items():
        write_json(tmp_path / "metrics" / f"{name}.json", content)
    recipe = {"name": "standard", "values": {"steps": 9, "freeze": "auto"}, "own": ["steps"]}
    write_training_figures(tmp_path / "metrics" / "train.json", figures_of_a_run(best_mAP=None, recipe=recipe))
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "recipe    standard, but for steps 9\n" in printed
    assert "data      9 images, 12 boxes; dropped 1 image and 2 boxes, fixed 3 boxes" in printed
    rows = [line.split() for line in printed.splitlines()]
    # In the order of export.variants' table, not of the alphabet.
    assert ["SavedModel", "float32", "dynamic", "int8"] in rows
    assert ["mAP", *4 * ["0.500"], "SavedModel,", "95", "%:", "0.41", "to", "0.59"] in rows
    assert ["AP50", *4 * ["0.750"]] in rows
    assert ["AP75", *4 * ["-"]] in rows
    assert ["AP", "of", "cat", *4 * ["0.250"]] in rows
    recipe |= {"values": {"steps": 9}}
    write_training_figures(tmp_path / "metrics" / "train.json", figures_of_a_run(recipe=recipe))
    assert main(arguments) == 0
    assert "recipe    standard, but for steps 9\n" in capsys.readouterr().out


def test_a_stages_figures_are_printed_with_four_digits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = {"steps": 300, "best_mAP": 0.6670281204955519, "mb": 12.6, "none": None}
    monkeypatch.setattr("tasks.__main__.run_stage", lambda *_: figures)
    assert main(["sample", "--params", str(ROOT / "params.yaml")]) == 0
    assert "(steps 300, best_mAP 0.667, mb 12.6, none None)\n" in capsys.readouterr().out


def test_a_full_disk_or_a_protected_file_is_one_sentence_and_other_file_errors_keep_their_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails_with(number: int) -> None:
        def fail(*_: object) -> None:
            raise OSError(number, os.strerror(number), "data/x.json")

        monkeypatch.setattr("tasks.__main__.run_stage", fail)

    fails_with(errno.ENOSPC)
    assert main(["sample", "--params", str(ROOT / "params.yaml")]) == 1
    assert "No space left on device: 'data/x.json': make room on the disk" in capsys.readouterr().err
    fails_with(errno.EACCES)
    assert main(["sample", "--params", str(ROOT / "params.yaml")]) == 1
    assert "Permission denied: 'data/x.json': see who may read" in capsys.readouterr().err
    fails_with(errno.EISDIR)
    assert main(["sample", "--params", str(ROOT / "params.yaml")]) == 1
    assert "Is a directory: 'data/x.json': move this folder away, as a file belongs there" in capsys.readouterr().err
    fails_with(errno.ENOTDIR)
    assert main(["sample", "--params", str(ROOT / "params.yaml")]) == 1
    assert "Not a directory: 'data/x.json': move this file away, as a folder belongs there" in capsys.readouterr().err
    fails_with(errno.ENAMETOOLONG)
    assert main(["sample", "--params", str(ROOT / "params.yaml")]) == 1
    assert "File name too long: 'data/x.json': give it a shorter name" in capsys.readouterr().err
    fails_with(errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        main(["sample", "--params", str(ROOT / "params.yaml")])


@pytest.mark.parametrize("stage", ["split", "validate", "records"])
def test_a_folder_where_a_stage_reads_a_file_is_a_sentence(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("data/ingested/annotations.json", "data/validated/annotations.json", "data/splits/train.json"):
        Path(name).mkdir(parents=True)
    assert main([stage, "--params", str(ROOT / "params.yaml")]) == 1
    assert "no such file; run `dvc repro`" in capsys.readouterr().err


def test_a_progress_bar_adds_few_lines_to_a_log(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tasks", "sample", "--params", str(ROOT / "params.yaml")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    # Its first state, its last, and one in each ten seconds between them, of which no machine takes ten times as many.
    assert 2 <= done.stderr.count("scene/s]") <= 12


def test_a_python_without_the_packages_is_told_what_to_do() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", "tasks", "summary"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.endswith(
        "has none of this project's packages: run `make setup`, then `. .venv/bin/activate`; or write "
        ".venv/bin/python in place of python\n"
    )
