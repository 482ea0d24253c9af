"""`python -m studies.base STAGE`: what studies/base/dvc.yaml runs, and the commands `ship` and `sheet`."""

import argparse
import sys
import time
from pathlib import Path

from studies.base.params import read_scenes_params
from studies.command import status_of
from studies.stages import DATA_STAGES, TRAINING_STAGES, run_stages
from tasks.params import read_params

_STAGES = ("materials", "findings", "scenes", "data", "train", "pack", "ship", "sheet")
_MATERIALS = Path("materials")


def main() -> int:
    """Run one stage; 0 when it ended well, 1 when there is something to mend."""
    parser = argparse.ArgumentParser(prog="python -m studies.base", description=__doc__)
    parser.add_argument("stage", choices=_STAGES)
    parser.add_argument("--out", type=Path, default=Path("sheet.png"), help="sheet: the file to write")
    parser.add_argument("--first", type=int, default=0, help="sheet: the number of the first scene")
    args = parser.parse_args()
    return status_of(args.stage, lambda: _run(args))


def _run(args: argparse.Namespace) -> None:
    start = time.monotonic()
    figures = ", ".join(f"{key} {value}" for key, value in _run_stage(args).items())
    print(f"{args.stage}: done in {time.monotonic() - start:.1f} s ({figures})")


def _run_stage(args: argparse.Namespace) -> dict[str, object]:
    if args.stage == "data":
        return run_stages(DATA_STAGES, read_params(Path("params.yaml")))
    if args.stage == "train":
        return run_stages(TRAINING_STAGES, read_params(Path("params.yaml")))
    if args.stage in ("materials", "findings"):
        return _prepare(args.stage)
    if args.stage in ("pack", "ship"):
        return _pack(args.stage)
    return _draw(args)


def _prepare(stage: str) -> dict[str, object]:
    from studies.base.classes import read_classes  # noqa: PLC0415 - each stage imports what it needs: some need TensorFlow

    classes = read_classes(Path("classes.yaml"))
    if stage == "findings":
        from studies.base.findings import find  # noqa: PLC0415 - imports TensorFlow

        return find(classes, _MATERIALS)
    from studies.base.materials import read_materials  # noqa: PLC0415 - as above
    from studies.base.preparation import prepare  # noqa: PLC0415 - as above

    return prepare(read_materials(Path("materials.yaml")), classes, _MATERIALS)


def _draw(args: argparse.Namespace) -> dict[str, object]:
    scenes = read_scenes_params(Path("scenes.yaml"))
    if args.stage == "sheet":
        from studies.base.sheet import write_sheet  # noqa: PLC0415 - as above

        return write_sheet(scenes, args.first, materials=_MATERIALS, out=args.out)
    from studies.base.draw import draw  # noqa: PLC0415 - as above

    return draw(scenes, materials=_MATERIALS, scenes=Path("data/scenes"))


def _pack(stage: str) -> dict[str, object]:
    from studies.base.pack import pack, ship  # noqa: PLC0415 - imports TensorFlow: drawing must not pay for it

    if stage == "pack":
        scenes = read_scenes_params(Path("scenes.yaml"))
        return pack(read_params(Path("params.yaml")), scenes, materials=_MATERIALS, packed=Path("packed"))
    from tasks.weights.shipped import FOLDER  # noqa: PLC0415 - as above

    ship(Path("packed"), FOLDER)
    return {"folder": FOLDER}


if __name__ == "__main__":
    sys.exit(main())
