"""`make agent`: one more worker for the gpu pool, which works in this clone; first of all the server must answer."""

import argparse
import os
import sys

from flows.prefect_settings import ROOT, make_server_access, prepare, start_or_check


def main() -> None:
    """The command line; Prefect's worker takes this process over."""
    parser = argparse.ArgumentParser(prog="make agent", description=__doc__)
    parser.add_argument("--name", help="in the list of workers")
    args = parser.parse_args()
    own = prepare(may_run_without_server=False)
    if not os.environ.get("PREFECT_API_URL"):
        os.environ.update(make_server_access().variables())
    start_or_check(own)
    os.environ["DETECTION_PIPELINE_ROOT"] = str(ROOT)
    worker = ["worker", "start", "--pool", "gpu", "--type", "process", "--limit", "1"]
    print(
        f"agent: works in {ROOT} for the pool gpu of {os.environ['PREFECT_API_URL']}. "
        "Does a stage fail that should not?  .venv/bin/python -m tasks doctor",
        flush=True,
    )
    os.chdir(ROOT)
    os.execv(  # noqa: S606 - no shell
        sys.executable, [sys.executable, "-m", "prefect", *worker, *(["--name", args.name] if args.name else [])]
    )


if __name__ == "__main__":
    main()
