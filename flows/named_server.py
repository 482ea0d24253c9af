"""Which Prefect server this clone asks, and whether it answers: `python -m flows.named_server OUT`."""

import os
import sys
from pathlib import Path

from flows.prefect_settings import make_server_access
from flows.server_access import Access, is_healthy, lets_in
from tasks.ground.files import write_json


def main(out: str) -> None:
    """Write to `out` its address, whether it answers and whether it takes the password; PREFECT_API_URL may name it."""
    access = make_server_access()
    if os.environ.get("PREFECT_API_URL"):
        access = Access(os.environ["PREFECT_API_URL"], os.environ.get("PREFECT_API_AUTH_STRING", ""))
    write_json(Path(out), {"api": access.api, "answers": is_healthy(access.api), "lets_in": lets_in(access)})


if __name__ == "__main__":
    main(*sys.argv[1:])
