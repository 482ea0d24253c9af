"""Removing what the stages wrote, and nothing else: photos below `data/` are not theirs."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from tasks.errors import PipelineError
from tasks.ground.dvc_yaml import entries, read_mapping, resolved, stages_of
from tasks.ground.files import remove_leftovers
from tasks.ground.text import print_text
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
    paths = sorted({*_outs(params), *_scratch(values)})
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
    try:
        stages, content = stages_of(read_mapping(Path("dvc.yaml"))), read_mapping(params)
    except ValueError as error:
        raise PipelineError(f"{error}; it names what the stages write: restore it from git") from error
    for stage in stages.values():
        for key in ("outs", "metrics", "plots"):
            yield from (resolved(out, content) for out, its in entries(stage, key) if not its.get("persist"))


def _scratch(values: Params) -> tuple[Path, ...]:
    """What stages keep between runs, so that a killed one goes on, and what is no result."""
    return values.paths.records_resume, values.paths.resume, values.paths.tensorboard


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
