"""What the studies' stages depend on: a file that was moved would end `dvc repro` before its first stage."""

from pathlib import Path

import yaml

STUDIES = Path(__file__).parents[2] / "studies"


def test_every_file_of_code_that_a_stage_depends_on_is_there() -> None:
    deps = [
        pipeline.parent / dep
        for pipeline in STUDIES.glob("*/dvc.yaml")
        for stage in yaml.safe_load(pipeline.read_text())["stages"].values()
        for dep in stage.get("deps", [])
    ]
    code = [dep for dep in deps if dep.suffix in {".py", ".j2"} and "$" not in dep.as_posix()]
    assert code
    assert [str(dep) for dep in code if not dep.is_file()] == []
