"""The photos that `suggest` chose, among those of a folder."""

from collections.abc import Mapping
from pathlib import Path

from tasks.artifacts.suggestions import read_suggestions
from tasks.errors import DataError
from tasks.ground.text import counted, quoted, shortened
from tasks.prediction.writer import encodable


def chosen_photos(paths: Mapping[str, Path], folder: Path, only: Path) -> dict[str, Path]:
    """Those of `paths`, images of `folder` by address, that the file `only` lists, in its order.

    Raises:
        DataError: there is no such file, it lists none, or one that is not in the folder.
        FormatError: it is not what `suggest` writes.
    """
    suggestions = read_suggestions(only)
    address_of = {encodable(path.relative_to(folder).as_posix()): address for address, path in paths.items()}
    names = [photo.image for photo in suggestions.photos]
    if not names:
        raise DataError(f"{only}: lists no photo; run `python -m tasks suggest FOLDER` again")
    missing = [name for name in names if name not in address_of]
    if missing:
        raise DataError(
            f"{only}: {counted(len(missing), 'photo')} of its {len(names)}, such as {quoted(missing[0])}, "
            f"are not in {folder}; name the folder that they were chosen from, {shortened(suggestions.folder)}"
        )
    return {address_of[name]: paths[address_of[name]] for name in names}
