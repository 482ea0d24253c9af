"""`python -m studies.base STAGE`: what studies/base/dvc.yaml runs; and `ship`, which puts the result in place."""

import argparse
import sys
import time
from pathlib import Path

from studies.base.params import read_scenes_params
from studies.command import status_of
from studies.stages import DATA_STAGES, TRAINING_STAGES, run_stages
from tasks.params import read_params

_STAGES = ("scenes", "data", "train", "pack", "ship")


def main() -> int:
    """Run one stage; 0 when it ended well, 1 when there is something to mend."""
    parser = argparse.ArgumentParser(prog="python -m studies.base", description=__doc__)
    parser.add_argument("stage", choices=_STAGES)
    stage = parser.parse_args().stage
    return status_of(stage, lambda: _run(stage))


def _run(stage: str) -> None:
    start = time.monotonic()
    figures = ", ".join(f"{key} {value}" for key, value in _run_stage(stage).items())
    print(f"{stage}: done in {time.monotonic() - start:.1f} s ({figures})")


def _run_stage(stage: str) -> dict[str, object]:
    if stage in ("data", "train"):
        return run_stages(DATA_STAGES if stage == "data" else TRAINING_STAGES, read_params(Path("params.yaml")))
    scenes = read_scenes_params(Path("scenes.yaml"))
    if stage == "scenes":
        from studies.base.draw import draw  # noqa: PLC0415 - nothing that `pack` needs

        return draw(scenes, scenes=Path("data/scenes"))
    from studies.base.pack import pack, ship  # noqa: PLC0415 - imports TensorFlow: drawing must not pay for it

    if stage == "pack":
        return pack(read_params(Path("params.yaml")), scenes, packed=Path("packed"))
    from tasks.weights.shipped import FOLDER  # noqa: PLC0415 - as above

    ship(Path("packed"), FOLDER)
    return {"folder": FOLDER}


if __name__ == "__main__":
    sys.exit(main())
