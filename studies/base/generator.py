"""The version of what draws scenes: code, classes, packages, and the prepared pictures with their findings."""

import hashlib
from pathlib import Path

from studies.base.library import FINDINGS, INDEX
from tasks.errors import PipelineError
from tasks.ground.files import sha256_of

_HERE = Path(__file__).parent
_CODE = ("scenes/*.py", "library.py", "classes.py", "classes.yaml", "materials.yaml")


def generator_sha256(materials: Path) -> str:
    """One SHA-256 for everything that scenes depend on beside `DrawnScenes`; `materials` is the prepared folder.

    Raises:
        PipelineError: nothing was prepared.
    """
    if not (materials / INDEX).is_file():
        raise PipelineError(f"{materials / INDEX} is missing; run `python -m studies.base materials`")
    code = sorted(path for pattern in _CODE for path in _HERE.glob(pattern))
    # The index has the SHA-256 of every picture.
    pictures = [path for path in (materials / INDEX, materials / FINDINGS) if path.is_file()]
    lines = [f"{path.relative_to(_HERE).as_posix()} {sha256_of(path)}" for path in code]
    lines += [f"{path.name} {sha256_of(path)}" for path in pictures]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
