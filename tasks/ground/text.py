"""Text that strangers wrote, such as names of classes and files: compared, harmless to print, short in messages."""

import re
import unicodedata
from typing import TextIO

# Characters that turn or hide the text around them: explicit directions, isolates and marks.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ACTING = frozenset({"Cc", "Cs", "Zl", "Zp"})
_LONGEST = 80
# A "<" of `text_to_plot`, and what reads like one.
_PLOT_ESCAPE = re.compile(r"&(?=(?:amp;)*lt;)")
_PLOT_ESCAPED = re.compile(r"&(?:amp;((?:amp;)*lt;)|lt;)")


def composed(text: str) -> str:
    """`text` in Unicode's form NFC, in which names are compared: macOS writes accents apart from their letters.

    For comparing only: names are written as they were found.
    """
    return unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """`text` for comparing names whatever their capitals and their Unicode form."""
    return composed(composed(text).casefold())


def printable(text: str) -> str:
    """`text` with every control character, line end, surrogate and change of direction shown as U+FFFD."""
    return "".join("\ufffd" if unicodedata.category(c) in _ACTING or c in _TURNING else c for c in text)


def shortened(text: str, longest: int = _LONGEST) -> str:
    """`text` printable, with its end left out where it has more than `longest` characters."""
    return printable(_cut(text, longest))


def quoted(text: str) -> str:
    """`text` in quotes, shortened; what does not print is written as Python's escapes."""
    return repr(_cut(text, _LONGEST))


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text)} characters)"


def counted(number: int, noun: str) -> str:
    """`1 image`, `2 images`, `0 boxes`, `3 copies`."""
    if number == 1:
        return f"1 {noun}"
    if noun[-1] == "y":
        return f"{number} {noun[:-1]}ies"
    return f"{number} {noun}{'es' if noun[-1] in 'sx' else 's'}"


def print_text(text: object, file: TextIO | None = None) -> None:
    """Print `text` line by line, made printable: how stages write text from data to the terminal, or to `file`."""
    print("\n".join(map(printable, str(text).split("\n"))), file=file)


def markdown_text(value: object) -> str:
    """`value` escaped for Markdown and HTML: names come from other people's files."""
    text = printable(str(value)).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{letter}" if letter in "\\`*_|[]#" else letter for letter in text)


def markdown_code(value: object) -> str:
    """`value` as text between backticks, where only backticks and the bars of tables have a meaning."""
    return printable(str(value)).replace("|", "\\|").replace("`", "'")


def text_to_plot(text: str) -> str:
    """`text` for files that `dvc plots` draws; `plot_to_text` gives it back.

    DVC writes what it draws into a script of its page as it is. "</script>" would end that script, so no "<" is left.
    """
    return _PLOT_ESCAPE.sub("&amp;", text).replace("<", "&lt;")


def plot_to_text(plotted: str) -> str:
    """The text that `text_to_plot` wrote as `plotted`."""
    return _PLOT_ESCAPED.sub(lambda found: f"&{found[1]}" if found[1] else "<", plotted)
