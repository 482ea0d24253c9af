"""What `paths:` may name: DVC removes what stands there before a stage writes."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tasks.errors import ParamsError
from tasks.lint.paths import refuse_unsafe_out, refuse_unsafe_paths
from tasks.params import Params, read_params

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for name in ("book/chapter.md", "data/photos/a.jpg", "splits.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    subprocess.run(["git", "-C", tmp_path, "add", "book", "splits.json"], check=True)
    return tmp_path


def params(ingest: dict[str, str] | None = None, **paths: str) -> Params:
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    content["paths"].update(paths)
    content["ingest"].update(ingest or {})
    return Params.model_validate(content)


@pytest.mark.parametrize("file", ["params.yaml", *sorted(f"presets/{p.name}" for p in ROOT.glob("presets/*.yaml"))])
def test_the_projects_own_params_are_safe(file: str) -> None:
    refuse_unsafe_paths(read_params(ROOT / file), ROOT)


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ({"report": "book"}, "paths.report: 'book' holds what git tracks, such as 'book/chapter.md'"),
        ({"report": "book/chapter.md"}, "paths.report: 'book/chapter.md' holds what git tracks"),
        ({"metrics_headline": "."}, "paths.metrics_headline: '.' does not lie inside the project"),
        ({"trained": "../elsewhere"}, "paths.trained: '../elsewhere' does not lie inside the project"),
        ({"trained": "models/../../elsewhere"}, "paths.trained: '../elsewhere' does not lie inside the project"),
        ({"trained": "/home"}, "paths.trained: '/home' does not lie inside the project"),
        ({"report": "docs"}, "paths.report: 'docs' is of the project itself"),
        ({"report": "./docs/../tasks/"}, "paths.report: 'tasks' is of the project itself"),
        ({"sample": ".git"}, "paths.sample: '.git' is of the project itself"),
        ({"lint": "params.yaml"}, "paths.lint: 'params.yaml' is of the project itself"),
        ({"records": "data/splits"}, "paths.splits: 'data/splits' is also paths.records, 'data/splits'"),
        ({"records": "data/splits/records"}, "paths.records: 'data/splits/records' lies in paths.splits"),
        ({"resume": "models"}, "paths.trained: 'models/trained' lies in paths.resume, 'models'"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_path_over_what_no_stage_wrote_is_refused(project: Path, paths: dict[str, str], message: str) -> None:
    with pytest.raises(ParamsError) as raised:
        refuse_unsafe_paths(params(None, **paths), project)
    assert message in str(raised.value)
    assert "name another" in str(raised.value)
    assert (project / "book/chapter.md").exists()


@pytest.mark.parametrize("path", ["data", "data/photos"])
@pytest.mark.parametrize("key", ["images", "source"])
def test_a_path_over_the_users_photos_is_refused(project: Path, path: str, key: str) -> None:
    with pytest.raises(ParamsError, match=rf"paths\.splits: '{path}' holds ingest\.{key}, 'data/photos'"):
        refuse_unsafe_paths(params({key: "data/photos"}, splits=path), project)


@pytest.mark.parametrize("images", ["data/photos", "../photos", "/srv/photos", "photos"])
def test_photos_beside_what_the_stages_write_are_fine(project: Path, images: str) -> None:
    refuse_unsafe_paths(params({"images": images, "source": images}), project)


@pytest.mark.parametrize("path", ["page", "data/page", "out/run 1/page", "reports-2"])
def test_a_new_path_is_fine(project: Path, path: str) -> None:
    refuse_unsafe_paths(params(report=path), project)


def test_all_problems_are_listed_at_once(project: Path) -> None:
    with pytest.raises(ParamsError) as raised:
        refuse_unsafe_paths(params(report="docs", trained="/home"), project)
    assert "paths.report" in str(raised.value)
    assert "paths.trained" in str(raised.value)


def test_without_git_nothing_is_tracked(tmp_path: Path) -> None:
    refuse_unsafe_paths(params(report="book"), tmp_path)
    with pytest.raises(ParamsError, match="of the project itself"):
        refuse_unsafe_paths(params(report="docs"), tmp_path)


@pytest.mark.parametrize("out", ["reports", "reports/new", "elsewhere"])
def test_results_may_lie_beside_the_report(project: Path, out: str) -> None:
    refuse_unsafe_out(project / out, params(), project)


@pytest.mark.parametrize(
    "out", ["models/exported/new", "models", "reports/index.html", "data/../data/splits", ".", "linked/new"]
)
def test_results_do_not_go_where_dvc_removes_them(project: Path, out: str) -> None:
    (project / "linked").symlink_to("data/splits")
    with pytest.raises(ParamsError, match=r"DVC removes what stands at paths\.\w+, .*: name a folder apart from it"):
        refuse_unsafe_out(project / out, params(), project)


@pytest.mark.parametrize("out", ["docs", "tasks/new", ".git/new"])
def test_results_do_not_go_among_the_projects_own_files(project: Path, out: str) -> None:
    with pytest.raises(ParamsError, match="is of the project itself"):
        refuse_unsafe_out(project / out, params(), project)


@pytest.mark.parametrize("out", ["predictions/gate", "data/photos/predictions", "../elsewhere", "/srv/photos/out"])
def test_results_may_go_beside_photos_anywhere_else(project: Path, out: str) -> None:
    refuse_unsafe_out(project / out, params(), project)
