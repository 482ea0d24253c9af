"""Label Studio's own server, from an environment of its own, on loopback, for as long as somebody draws.

Its analytics, error reports and version check are switched off: it sends nothing to anybody.
"""

import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from tasks.errors import PipelineError
from tasks.ground.files import write_private
from tasks.ground.process import ending_with_me

HOST = "127.0.0.1"
PROGRAM = Path("venv/bin/label-studio")
# Refuses foreign hosts and foreign pages.
_SETTINGS = Path(__file__).with_name("label_studio") / "guarded_settings.py"
_ACCOUNT = "account.json"
_LOG = "server.log"
# The first start makes the database.
_STARTS_WITHIN_S = 300
_ENDS_WITHIN_S = 15


@dataclass(frozen=True)
class Account:
    """Who logs in; kept in the server's folder, for this user alone to read."""

    email: str
    password: str
    token: str


@contextmanager
def label_studio(folder: Path, document_root: Path, port: int) -> Iterator[httpx.Client]:
    """A client of a server that lives as long as the block.

    Args:
        folder: holds its environment, database, account and log.
        document_root: the folder below which a project may show images.
        port: on loopback.

    Raises:
        PipelineError: it is not installed, the port is taken, or it does not come up; the message names its log.
    """
    program = folder / PROGRAM
    if not program.is_file():
        raise PipelineError(f"{program}: Label Studio is not installed; `make annotate IMAGES=folder` does it")
    with socket.socket() as probe:
        if probe.connect_ex((HOST, port)) == 0:
            raise PipelineError(f"port {port} of {HOST} is taken; choose another: PORT={port + 1}")
    account = account_of(folder)
    log, data = folder / _LOG, folder / "data"
    # Its database has the account's token.
    data.mkdir(mode=0o700, exist_ok=True)
    data.chmod(0o700)
    with (
        log.open("wb") as output,
        subprocess.Popen(
            # A killed command must take its server along.
            ending_with_me(
                [
                    *(str(program.resolve()), "start", "--no-browser", "--enable-legacy-api-token"),
                    *("--internal-host", HOST, "--port", str(port), "--data-dir", str(data.resolve())),
                ]
            ),
            cwd=folder,
            env=_environment(account, document_root),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C in a terminal goes to all of its processes: the server must answer until the last save.
            start_new_session=True,
        ) as process,
    ):
        try:
            address = f"http://{HOST}:{port}"
            # A proxy of the environment would not reach this machine's loopback.
            with httpx.Client(
                base_url=address, headers={"Authorization": f"Token {account.token}"}, timeout=60, trust_env=False
            ) as client:
                _wait(client, process, log)
                yield client
        finally:
            process.terminate()
            try:
                process.wait(_ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()


def account_of(folder: Path) -> Account:
    """The account in the server's folder, made on the first call.

    Raises:
        PipelineError: its file is damaged.
    """
    path = folder / _ACCOUNT
    try:
        return Account(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        account = Account("annotator@localhost.local", secrets.token_urlsafe(9), secrets.token_hex(20))
        folder.mkdir(parents=True, exist_ok=True)
        write_private(path, json.dumps(asdict(account)))
        return account
    except (ValueError, TypeError) as error:
        raise PipelineError(
            f"{path}: damaged ({error}); remove it and {folder / 'data'}, with what was drawn there"
        ) from error


def _environment(account: Account, document_root: Path) -> dict[str, str]:
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("LABEL_STUDIO_")},
        "DJANGO_SETTINGS_MODULE": _SETTINGS.stem,
        "PYTHONPATH": str(_SETTINGS.parent),
        "LABEL_STUDIO_USERNAME": account.email,
        "LABEL_STUDIO_PASSWORD": account.password,
        "LABEL_STUDIO_USER_TOKEN": account.token,
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(document_root.resolve()),
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "LABEL_STUDIO_COLLECT_ANALYTICS": "false",
        "LABEL_STUDIO_LATEST_VERSION_CHECK": "false",
        "LABEL_STUDIO_SENTRY_DSN": "",
        "LABEL_STUDIO_FRONTEND_SENTRY_DSN": "",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }


def _wait(client: httpx.Client, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise PipelineError(f"Label Studio ended as it started: {_last_line(log)}; its whole log: {log}")
        try:
            if client.get("/health").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise PipelineError(f"Label Studio did not answer within {_STARTS_WITHIN_S} s; its log: {log}")


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "its log is empty")
