"""The project of a run in a folder of its own: its code and params as files, with a DVC that shares the cache.

Nothing of it is a git repository, so that nothing is written into the user's: DVC is set to do without.
"""

import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

import yaml

from tasks.comparison.run import Run, is_inside
from tasks.errors import ParamsError, PipelineError
from tasks.ground.dvc_cache import cache_folder
from tasks.ground.git import git
from tasks.ground.text import quoted

_PARAMS = "params.yaml"


def copy_project(run: Run, root: Path, folder: Path, photos: PurePosixPath) -> Path:
    """Copy the code and the params of `run`, and set up DVC.

    Args:
        run: whose files; of a folder those that git does not ignore, as they are now.
        root: the project in which `run` was found; its cache of DVC is shared.
        folder: an empty folder.
        photos: the folder of images, relative to the project's; what lies there is left out.

    Returns:
        The project's folder: `folder`, or that below it which git has as the project's.

    Raises:
        PipelineError: git or DVC failed, or the params name a place outside the project.
    """
    _refuse_outside(run)
    of = root if run.commit else run.folder
    prefix = PurePosixPath(git(of, "rev-parse", "--show-prefix").strip())
    above = Path(git(of, "rev-parse", "--show-toplevel").rstrip("\n"))

    left_out = (prefix / photos).parts if photos.parts and is_inside(photos) else None
    (_unpack_commit if run.commit else _copy_files)(run, above, folder, left_out)
    project = folder / prefix
    # It is of other data: what it says of a stage is not to be taken for what will be made here.
    (project / "dvc.lock").unlink(missing_ok=True)
    if run.outdated:
        text = yaml.safe_dump(run.raw, sort_keys=False, allow_unicode=True)
        (project / _PARAMS).write_text(text, encoding="utf-8")
    _set_up_dvc(project, cache_folder(root).absolute())
    return project


def _refuse_outside(run: Run) -> None:
    """Check that no stage would write outside the copy: DVC removes what stands at a path first."""
    for key, value in run.params["paths"].items():
        path = PurePosixPath(value) if isinstance(value, str) else PurePosixPath()
        if not path.parts or not is_inside(path):
            raise ParamsError(
                f"paths.{key} of {run.name}: {quoted(str(value))} does not lie inside the project's folder, so the run "
                "in between would write over its results; --explain needs paths inside"
            )


def _unpack_commit(run: Run, above: Path, folder: Path, left_out: tuple[str, ...] | None) -> None:
    command = ["git", "archive", "--format=tar", run.commit]
    with tempfile.TemporaryFile() as file:
        done = subprocess.run(command, cwd=above, stdout=file, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            reason = done.stderr.decode(errors="replace").strip()
            raise PipelineError(f"{above}: {' '.join(command)} failed: {reason}")
        file.seek(0)
        with tarfile.open(fileobj=file) as archive:
            for member in archive:
                # A link may lead anywhere, and the stages need none.
                if (member.isfile() or member.isdir()) and not _lies_in(member.name, left_out):
                    archive.extract(member, folder, filter="data")


def _copy_files(run: Run, above: Path, folder: Path, left_out: tuple[str, ...] | None) -> None:
    listed = git(above, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in filter(None, listed.split("\0")):
        source, target = above / name, folder / name
        if source.is_file() and not _lies_in(name, left_out):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def _lies_in(name: str, folder: tuple[str, ...] | None) -> bool:
    return folder is not None and PurePosixPath(name).parts[: len(folder)] == folder


def _set_up_dvc(project: Path, cache: Path) -> None:
    if not (project / "dvc.yaml").is_file():
        raise PipelineError(f"{project}: no dvc.yaml in it, so no stage can be run there; git must know the project's")
    folder = project / ".dvc"
    folder.mkdir(exist_ok=True)
    # Relative to the file, as DVC reads it; a call of `dvc config` takes a second for each value.
    relative = os.path.relpath(cache.resolve(), folder.resolve())
    quote = "'" if '"' in relative else '"'
    if quote in relative:
        raise PipelineError(f"{cache}: a path with both kinds of quotes, which DVC's configuration cannot hold")
    lines = ["[core]", "no_scm = true", "analytics = false", "[cache]", f"dir = {quote}{relative}{quote}", ""]
    (folder / "config.local").write_text("\n".join(lines), encoding="utf-8")
