"""Where `compare` and `diff` write what they found: a page, or Markdown."""

from collections.abc import Callable
from pathlib import Path

from tasks.errors import PipelineError
from tasks.ground.files import replacing

_PAGE, _MARKDOWN = ".html", ".md"


def require_page_or_markdown(out: Path) -> None:
    """Refuse a file of another kind before any work is done.

    Raises:
        PipelineError: the file ends neither in .html nor in .md.
    """
    if out.suffix not in (_PAGE, _MARKDOWN):
        raise PipelineError(f"--out {out}: a file that ends in {_PAGE}, for a page, or {_MARKDOWN}, for Markdown")


def write_page_or_markdown(out: Path, *, page: Callable[[], str], markdown: Callable[[], str]) -> None:
    """Write what the file's name asks for; the other is not made."""
    with replacing(out) as beside:
        beside.write_text(page() if out.suffix == _PAGE else markdown(), encoding="utf-8")
