"""Stage `checkpoint`: the weights that training starts from, in one folder with one description, whatever their source.

`tasks.artifacts.base` says what the folder holds, `tasks.weights.sources` where the weights come from.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from tasks.artifacts.base import write_base_description
from tasks.ground.files import remove_leftovers, replacing
from tasks.ground.text import print_text
from tasks.weights.sources import take_weights

if TYPE_CHECKING:
    from tasks.params import CheckpointParams, ModelParams


def checkpoint(params: "CheckpointParams", model: "ModelParams", *, base: Path) -> dict[str, str]:
    """Write the folder `base`: the weights that `checkpoint.source` means, and their description.

    Raises:
        CheckpointError: they cannot be fetched, do not fit the model, or are not what they should be.
        UnreachableError: the server of the zoo did not answer.
        ConfigError: there is no such model.
    """
    remove_leftovers(base)
    with replacing(base, own_folder=True) as beside:
        beside.mkdir()
        description = take_weights(params, model, beside, downloads=base.parent / ".downloads")
        write_base_description(description, beside)
    if description.fallback:
        print_text(f"checkpoint: {description.fallback}")
    size = sum(path.stat().st_size for path in base.rglob("*") if path.is_file())
    figures = {"kind": description.kind, "origin": description.origin, "size": f"{size / 1e6:.1f} MB"}
    return {**figures, **({"fallback": description.fallback} if description.fallback else {})}
