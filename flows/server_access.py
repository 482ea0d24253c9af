"""Address and password of this clone's Prefect server, for every program that is started in the clone's folder.

`make server` writes them to prefect.toml, a file that Prefect itself looks for in the working directory.
"""

import base64
import contextlib
import http.client
import json
import secrets
import tomllib
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tasks.ground.files import write_private

# What a server of this project is named in passwords; Prefect's are NAME:PASSWORD.
_NAME = "prefect"
_FILE = "prefect.toml"
_MARK = "# Written by `make server`, which removes it when it ends: where its server is, and the password."


class AccessError(Exception):
    """The password cannot be kept where Prefect looks for it; the message says what to do."""


@dataclass(frozen=True)
class Access:
    """How to reach a server.

    Attributes:
        api: the address of its API, such as http://127.0.0.1:4200/api.
        auth: NAME:PASSWORD; empty where the server asks for none.
    """

    api: str
    auth: str

    def variables(self) -> dict[str, str]:
        """The variables that Prefect's clients read."""
        return {"PREFECT_API_URL": self.api, **({"PREFECT_API_AUTH_STRING": self.auth} if self.auth else {})}


def new_password() -> str:
    """A random password, as Prefect takes it."""
    return f"{_NAME}:{secrets.token_hex(20)}"


def read_access(folder: Path) -> Access | None:
    """What `make server` wrote for the clone in `folder`; None where it wrote nothing."""
    try:
        text = (folder / _FILE).read_text(encoding="utf-8")
        api = tomllib.loads(text)["api"]
        return Access(str(api["url"]), str(api["auth_string"])) if text.startswith(_MARK) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_access(folder: Path, access: Access) -> None:
    """Keep `access` for the programs in `folder`, in a file that only this user ever could read.

    Raises:
        AccessError: there is a prefect.toml of somebody else's.
    """
    path = folder / _FILE
    with contextlib.suppress(FileNotFoundError):
        if not path.read_text(encoding="utf-8", errors="replace").startswith(_MARK):
            raise AccessError(
                f"{path} is not from `make server`, which keeps its password in a file of that name: move what it "
                "says to ~/.prefect/profiles.toml, or choose a password yourself: "
                "export PREFECT_SERVER_API_AUTH_STRING=NAME:PASSWORD (docs/operations.md)"
            )
    # JSON's strings are TOML's, too.
    text = f"{_MARK}\n[api]\nurl = {json.dumps(access.api)}\nauth_string = {json.dumps(access.auth)}\n"
    write_private(path, text)


def remove_access(folder: Path, access: Access) -> None:
    """Remove what `write_access` wrote, unless another server has written there since."""
    if read_access(folder) == access:
        (folder / _FILE).unlink(missing_ok=True)


def is_healthy(api: str) -> bool:
    """Whether a Prefect server answers there."""
    return _status(f"{api}/health", "") == http.HTTPStatus.OK


def lets_in(access: Access) -> bool:
    """Whether a Prefect server answers there, and takes this password."""
    return _status(f"{access.api}/admin/version", access.auth) == http.HTTPStatus.OK


def _status(address: str, auth: str) -> int:
    """The status of an answer within 2 seconds; 0 without one. Loopback is asked directly, whatever proxy is set."""
    request = urllib.request.Request(address)  # noqa: S310 - http, of our own server
    if auth:
        request.add_header("Authorization", f"Basic {base64.b64encode(auth.encode()).decode()}")
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=2) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except (OSError, http.client.HTTPException):  # nobody there, or somebody who does not speak HTTP
        return 0
