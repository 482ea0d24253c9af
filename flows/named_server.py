"""Which Prefect server this clone asks, and whether it answers: `python -m flows.named_server OUT`.

It is the one that Prefect's own settings name: PREFECT_API_URL, a profile, or this folder's files.
"""

import os
import sys
from pathlib import Path

from flows.prefect_settings import direct_loopback
from tasks.ground.files import write_json


def main(out: str) -> None:
    """Write to `out` its address, whether it answers, and whether it takes the password."""
    os.environ.update(direct_loopback(os.environ))
    # Prefect reads its settings when it is imported.
    import httpx  # noqa: PLC0415
    from prefect.client.orchestration import get_client  # noqa: PLC0415
    from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, get_current_settings, temporary_settings  # noqa: PLC0415

    answers = lets_in = True
    try:
        with (
            temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),
            get_client(httpx_settings={"timeout": 10}, sync_client=True) as client,
        ):
            client.api_version()
    except httpx.HTTPStatusError:
        lets_in = False
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        answers = lets_in = False
    write_json(Path(out), {"api": get_current_settings().api.url, "answers": answers, "lets_in": lets_in})


if __name__ == "__main__":
    main(*sys.argv[1:])
