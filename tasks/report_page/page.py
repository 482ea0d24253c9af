"""One self-contained HTML page: styles and script are inside it, and its policy forbids the browser any request.

Every text that is put into the page is escaped for HTML and goes through `show` first; only `Markup` made here and in
`curves` is not.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tasks.ground.figures import change_text, figure_text, interval_text, milliseconds_text, p_text

_HERE = Path(__file__).parent
NOTHING = "\u2013"


def render(
    content: Mapping[str, object],
    show: Callable[[str], str],
    template: str = "template.html.j2",
    folder: Path = _HERE,
    script_name: str = "script.js",
) -> str:
    """The page for `content`, which holds the names that `template` in `folder` uses; a missing one is an error.

    `show` is applied to every string, to make characters visible that would act on the text around them. The file
    `script_name` beside this one is the page's script, where the template has it.
    """
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: show(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    environment.filters.update(
        figure=figure, interval=interval, change=change, percent=percent, whole=whole, ms=milliseconds, p=p_text
    )
    script = (_HERE / script_name).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template(template).render(
        content,
        style=Markup((_HERE / "style.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        script_digest=digest,
        nothing=NOTHING,
    )


def figure(value: float | None, digits: int = 3) -> str:
    """A figure with `digits` digits after the point, or a dash where there is none."""
    return figure_text(value, digits, NOTHING)


def interval(ends: tuple[float, float] | None) -> str:
    """Both ends of an interval, or a dash where there is none."""
    return interval_text(ends, NOTHING)


def whole(value: float | None) -> str:
    """A count with thin spaces between thousands, or a dash."""
    return NOTHING if value is None else f"{round(value):,}".replace(",", "\u202f")


def milliseconds(value: float | None) -> str:
    """A time in ms, or a dash."""
    return milliseconds_text(value, NOTHING)


def change(value: float | None) -> str:
    """A difference with its sign; a true minus, so that it lines up with plus."""
    if value is None:
        return NOTHING
    return change_text(value)


def percent(value: float | None) -> str:
    """A CSS width for a fraction in 0..1."""
    return f"{100 * min(1.0, max(0.0, value or 0.0)):.1f}%"
