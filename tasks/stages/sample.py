"""Stage sample: the embedded default data set, drawn, so that the pipeline runs before anyone brings images.

It holds the faults that real data has, each in files named after it, so that the gate has something to show.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from tasks.formats.pascal_voc import write_voc
from tasks.ground.files import replacing
from tasks.sample_scenes.entries import draw_entries
from tasks.sample_scenes.faults import FAULTS, Entry
from tasks.sample_scenes.readme import readme

if TYPE_CHECKING:
    from tasks.params import SampleParams


def sample(params: "SampleParams", *, sample: Path) -> dict[str, int]:
    """Write `params.images` scenes, and one more for each fault if asked for: images/, annotations/, README.md.

    The same seed gives the same bytes.
    """
    faults = FAULTS if params.faults else ()
    boxes = 0
    with replacing(sample, own_folder=True) as beside:
        (beside / "images").mkdir(parents=True)
        (beside / "annotations").mkdir()
        total = params.images + len(faults)
        entries = draw_entries(params.seed, params.images, faults)
        for entry in tqdm(entries, desc="sample", unit="scene", total=total):
            _write_entry(entry, beside)
            boxes += len(entry.image.classes)
        (beside / "README.md").write_text(readme(params.seed, params.images, faults), encoding="utf-8")
    return {"scenes": total, "boxes": boxes, "faults": len(faults)}


def _write_entry(entry: Entry, folder: Path) -> None:
    path = folder / entry.image.file_name
    if entry.content is not None:
        path.write_bytes(entry.content)
    annotation = folder / "annotations" / f"{path.stem}.xml"
    if entry.xml is not None:
        annotation.write_bytes(entry.xml)
    else:
        write_voc(entry.image, annotation)
