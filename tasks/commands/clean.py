"""Removing what the stages wrote, and nothing else: photos below `data/` are not theirs."""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from tasks.errors import PipelineError
from tasks.ground.dvc_yaml import entries, read_mapping, resolved, stages_of
from tasks.ground.files import remove_leftovers
from tasks.ground.git import git
from tasks.ground.text import print_text
from tasks.ground.unfinished import kept_by_command
from tasks.lint.paths import refuse_unsafe_paths
from tasks.params import Params, read_params

_MAX_LISTED = 10


def clean(*, params: Path, dry_run: bool) -> None:
    """Remove the outs that dvc.yaml names, what killed stages left, and folders that are empty then.

    DVC's cache stays: `dvc repro` brings results back from it. So does an out that DVC itself keeps between runs
    (`persist`), such as splits.json.

    Args:
        params: the params file with the paths.
        dry_run: print what would be removed, and remove nothing.

    Raises:
        PipelineError: dvc.yaml cannot be read, or a path in `params` lies over what no stage wrote.
    """
    values = read_params(params)
    refuse_unsafe_paths(values)
    sources = [Path(os.path.normpath(path)) for path in (values.ingest.source, values.ingest.images)]
    # The sample is read where it is written.
    sources = [path for path in sources if not path.is_relative_to(values.paths.sample)]
    outs = sorted({*_outs(params), *_scratch(values)})
    paths = [path for path in outs if _is_ours(path, sources)]
    for path in sorted({*outs} - {*paths}):
        print_text(f"{path}: left, for it lies outside, is tracked by git, or holds what is read")
    existing = [path for path in paths if path.exists() or path.is_symlink()]
    for path in existing:
        print_text(f"{path}: {'would be removed' if dry_run else 'removed'}")
        if not dry_run:
            _remove(path)
    if not dry_run:
        for path in paths:
            remove_leftovers(path)
        _remove_empty_parents(paths)
    if not existing:
        print("nothing to remove: the stages have written nothing here")
    _print_rest(paths)


def _outs(params: Path) -> Iterator[Path]:
    """The outs of every stage, those of stages that a user added as well, relative to the project's folder."""
    try:
        stages, content = stages_of(read_mapping(Path("dvc.yaml"))), read_mapping(params)
    except ValueError as error:
        raise PipelineError(f"{error}; it names what the stages write: restore it from git") from error
    for stage in stages.values():
        wdir = resolved(str(stage.get("wdir") or "."), content)
        for key in ("outs", "metrics", "plots"):
            for out, settings in entries(stage, key):
                path = resolved(out, content)
                # A name that is no param, as `${item}` of `foreach`, stands for paths that are not known here.
                if wdir is not None and path is not None and not settings.get("persist"):
                    yield Path(os.path.normpath(wdir / path))


def _is_ours(path: Path, sources: Sequence[Path]) -> bool:
    """Whether what stands at an out may go: inside the project, not tracked by git, and not what is read."""
    if path.is_absolute() or path.parts[:1] in ((), ("..",)):
        return False
    if any(source.is_relative_to(path) for source in sources):
        return False
    try:
        return not git(Path(), "ls-files", "--", f":(literal){path.as_posix()}")
    # Without git nothing is tracked.
    except (PipelineError, OSError):
        return True


def _scratch(values: Params) -> tuple[Path, ...]:
    """What stages and commands keep between runs, so that a killed one goes on, and what is no result."""
    paths = values.paths
    commands = (kept_by_command(paths.resume, name) for name in ("review", "learning-curve"))
    return paths.records_resume, paths.resume, *commands, paths.tensorboard


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _remove_empty_parents(paths: list[Path]) -> None:
    for parent in sorted({parent for path in paths for parent in path.parents if parent != Path()}, reverse=True):
        # DVC writes it where the root's .gitignore does not name an out.
        ignore = parent / ".gitignore"
        if parent.is_dir() and not parent.is_symlink() and {*parent.iterdir()} <= {ignore}:
            ignore.unlink(missing_ok=True)
            parent.rmdir()


def _print_rest(paths: list[Path]) -> None:
    """Name what lies beside what the stages write, for people who expect an empty folder."""
    parents = {parent for path in paths for parent in path.parents if parent != Path()}
    rest = [
        file
        for parent in sorted(parents)
        if parent.is_dir()
        for file in sorted(parent.iterdir())
        if file not in parents and file not in paths and file.name != ".gitignore"
    ]
    for file in rest[:_MAX_LISTED]:
        print_text(f"{file}: left, for no stage wrote it")
    if len(rest) > _MAX_LISTED:
        print(f"and {len(rest) - _MAX_LISTED} more that no stage wrote")
