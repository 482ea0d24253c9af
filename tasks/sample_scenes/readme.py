"""The README.md of the drawn data set: what is in it, and what is wrong in it on purpose."""

from collections.abc import Sequence

from tasks.sample_scenes.faults import Fault
from tasks.sample_scenes.shapes import KINDS


def readme(seed: int, n_images: int, faults: Sequence[Fault]) -> str:
    """The page in Markdown, with a table of `faults` where there are some."""
    lines = [
        "# Drawn scenes",
        "",
        f"{n_images} scenes with {', '.join(f'`{kind}`' for kind in KINDS)} among things that have no class,",
        f"drawn by the sample stage (seed {seed}). Boxes are tight around what can be seen of an object.",
        "",
        "`images/` holds JPEGs, `annotations/` a Pascal VOC file for each. The stage overwrites this folder.",
    ]
    if faults:
        lines += [
            "",
            "Some of it is wrong on purpose, as it is in real data; the validate stage must find it:",
            "",
            "| files | what is wrong |",
            "|---|---|",
            *(f"| `fault_{fault.name}` | {fault.description} |" for fault in faults),
        ]
    return "\n".join(lines) + "\n"
