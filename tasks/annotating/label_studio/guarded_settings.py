"""Label Studio's settings, with a guard before it: read by Label Studio's own Python, which has nothing of ours.

Label Studio answers under any name and any site's page, and does not ask for the token against forged requests: a page
that another program serves on this machine would act as the person who is logged in. Here the host that is asked must
be loopback, and a request that a page sends must come from Label Studio's own.
"""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

_spec: Any = importlib.util.find_spec("label_studio.core.settings.label_studio")
# Not imported: it asks Django for settings while it makes them, and these are looked for in this module.
exec(_spec.loader.get_code(_spec.name), globals())  # noqa: S102 - Label Studio's own code

_LOOPBACK = ("127.0.0.1", "localhost")

MIDDLEWARE = [f"{__name__}.guard", *globals()["MIDDLEWARE"]]
ALLOWED_HOSTS = list(_LOOPBACK)
CORS_ALLOW_ALL_ORIGINS = False
CORS_ALLOWED_ORIGINS: list[str] = []
CORS_ALLOWED_ORIGIN_REGEXES: list[str] = []


def guard(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Django's middleware: refuse a request that names another host, or comes from another site's page."""
    refusal = importlib.import_module("django.http").HttpResponseForbidden

    def answer(request: Any) -> Any:
        host, origin = request.META.get("HTTP_HOST", ""), request.META.get("HTTP_ORIGIN")
        name = host.rsplit(":", 1)[0].lower()
        if name not in _LOOPBACK or origin not in (None, f"http://{host}"):
            return refusal("This server answers its own pages, on this machine.", content_type="text/plain")
        response = get_response(request)
        response.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
        return response

    return answer
