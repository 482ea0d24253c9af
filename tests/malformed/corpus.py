"""Every malformed input, and a command that writes them to a folder: `python -m tests.malformed.corpus FOLDER`."""

import argparse
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.malformed import (
    archive_cases,
    coco_cases,
    csv_cases,
    hog_cases,
    image_cases,
    label_studio_cases,
    path_cases,
    settings_cases,
    voc_cases,
    yolo_cases,
)
from tests.malformed.case import ROOT, Case

_MODULES = (
    voc_cases,
    path_cases,
    csv_cases,
    coco_cases,
    yolo_cases,
    label_studio_cases,
    image_cases,
    hog_cases,
    archive_cases,
    settings_cases,
)
CORPUS: dict[str, Case] = {f"{case.area}/{case.name}": case for module in _MODULES for case in module.CASES}
# One faulty image of two is enough to end a run, and one box enough to learn a class: here they are not to.
_LENIENT: dict[str, dict[str, Any]] = {
    "ingest": {"source": "data", "images": "data"},
    "validate": {"max_dropped_fraction": 0.99, "max_fixed_fraction": 1.0, "min_boxes_per_class": 1},
}


def write(case: Case, folder: Path) -> None:
    """The case's files and its params.yaml, in the new folder `folder`."""
    folder.mkdir(parents=True)
    case.make(folder)
    if isinstance(case.params, bytes):
        (folder / "params.yaml").write_bytes(case.params)
        return
    params = dict(_read_params())
    for changes in (_LENIENT, case.params):
        for section, values in changes.items():
            params[section] = {**params[section], **values}
    # JSON is YAML, and written in no time.
    (folder / "params.yaml").write_text(json.dumps(params, indent=1), encoding="utf-8")


@cache
def _read_params() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    return content


def main() -> None:
    """Write all of the corpus, or those cases that are named."""
    parser = argparse.ArgumentParser(prog="python -m tests.malformed.corpus", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("names", nargs="*", metavar="AREA/NAME", help="default: all")
    args = parser.parse_args()
    names = args.names or list(CORPUS)
    for name in names:
        write(CORPUS[name], args.folder / name.replace(" ", "-"))
    counts = Counter(CORPUS[name].area for name in names)
    print(f"{args.folder}: {len(names)} malformed inputs: {', '.join(f'{a} {n}' for a, n in counts.items())}")
    print("in one of them: python -m tasks ingest && python -m tasks validate (with PYTHONPATH at the project)")


if __name__ == "__main__":
    main()
