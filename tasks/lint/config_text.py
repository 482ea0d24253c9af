"""The text of the final pipeline.config, and the settings that params.yaml replaced in a user's own."""

import re
from collections.abc import Mapping

from tasks.artifacts.lint import Finding

# What the zoo's files and tutorials write where the user's own path belongs.
_PLACEHOLDERS = re.compile(r"TO_BE_CONFIGURED|\bpath/to/|\bPATH_TO_|\bYOUR_|\bCHANGE_ME\b")
_QUOTED = re.compile(r'^\s*(\w+): "(.*)"$')


def check_placeholders(text: str, model: str) -> list[Finding]:
    """Settings in which a placeholder was left; `model` is `model.name`, which messages name."""
    findings = []
    for line in text.splitlines():
        match = _QUOTED.match(line)
        if match and _PLACEHOLDERS.search(match[2]):
            findings.append(
                Finding("error", f"{model}: {match[1]}", match[2], "a placeholder, not a path", "remove this setting")
            )
    return findings


def check_replaced(
    name: str, before: Mapping[str, str], after: Mapping[str, str], taken_from: Mapping[str, str]
) -> list[Finding]:
    """Settings of the user's pipeline.config `name` that have another value in the final one.

    `before` and `after` are the values of the two by setting, `taken_from` where the final value comes from.
    """
    return [
        Finding("info", name, f"{key} {value}", f"replaced by {after[key]}, from {taken_from[key]}")
        for key, value in before.items()
        if key in after and after[key] != value
    ]


def check_suppression(iou_threshold: float, model: str, *, has_suppression: bool) -> list[Finding]:
    """The threshold of overlaps, where the model `model` leaves no box out for overlapping another."""
    if has_suppression:
        return []
    why = f"has no effect: {model} finds the peaks of its centres, and leaves no box out because another overlaps it"
    return [Finding("info", "export.nms_iou_threshold", f"{iou_threshold:g}", why)]
