"""`python -m studies.base scenes|pack|ship`: what studies/base/dvc.yaml runs, and what puts the result in place."""

import argparse
import os
import sys
import time
from pathlib import Path

from studies.base.params import read_scenes_params
from tasks.errors import PipelineError
from tasks.params import read_params
from tasks.process import die_with_parent


def main() -> int:
    """Run one stage; 0 when it ended well, 1 when there is something to mend."""
    parser = argparse.ArgumentParser(prog="python -m studies.base", description=__doc__)
    parser.add_argument("stage", choices=["scenes", "pack", "ship"])
    stage = parser.parse_args().stage
    if "DVC_STAGE" in os.environ:
        die_with_parent()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # as in tasks/__main__.py
    start = time.monotonic()
    try:
        figures = _run(stage)
    except PipelineError as error:
        print(f"{stage}: {error}", file=sys.stderr)
        return 1
    shown = ", ".join(f"{key} {value}" for key, value in figures.items())
    print(f"{stage}: done in {time.monotonic() - start:.1f} s ({shown})")
    return 0


def _run(stage: str) -> dict[str, object]:
    params = read_scenes_params(Path("scenes.yaml"))
    if stage == "scenes":
        from studies.base.draw import draw  # noqa: PLC0415 - nothing that `pack` needs

        return draw(params, scenes=Path("data/scenes"))
    from studies.base.pack import pack, ship  # noqa: PLC0415 - imports TensorFlow: drawing must not pay for it

    if stage == "pack":
        return pack(read_params(Path("params.yaml")), params, packed=Path("packed"))
    from tasks.shipped_base import FOLDER  # noqa: PLC0415 - as above

    ship(Path("packed"), FOLDER)
    return {"folder": FOLDER}


if __name__ == "__main__":
    sys.exit(main())
