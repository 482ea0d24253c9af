"""The text of the final pipeline.config, and what params.yaml replaced in a user's own."""

import re
from collections.abc import Mapping

from tasks.lint.finding import Finding

# What the zoo's files and the tutorials around them hold where a path is to be written.
_PLACEHOLDERS = re.compile(r"TO_BE_CONFIGURED|\bpath/to/|\bPATH_TO_|\bYOUR_|\bCHANGE_ME\b")
_QUOTED = re.compile(r'^\s*(\w+): "(.*)"$')


def check_placeholders(text: str, called: str) -> list[Finding]:
    """Settings in which a placeholder was left; `called` is what the user knows the pipeline.config by."""
    found = []
    for line in text.splitlines():
        match = _QUOTED.match(line)
        if match and _PLACEHOLDERS.search(match[2]):
            found.append(
                Finding("error", f"{called}: {match[1]}", match[2], "no path stands here", "take this setting out")
            )
    return found


def check_replaced(
    name: str, before: Mapping[str, str], after: Mapping[str, str], taken_from: Mapping[str, str]
) -> list[Finding]:
    """Settings of the user's pipeline.config `name` that are others in the final one.

    `before` and `after` are what the two say, by setting; `taken_from` says of each where the final value is from.
    """
    return [
        Finding("info", name, f"{key} {said}", f"replaced by {after[key]}, from {taken_from[key]}")
        for key, said in before.items()
        if key in after and after[key] != said
    ]
