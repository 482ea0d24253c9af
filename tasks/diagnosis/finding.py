"""One line of a diagnosis."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """What was found.

    Attributes:
        state: `ok`; `note` for what may be meant so; `FAIL` for what does not work.
        text: what there is, or what happened.
        remedy: what to do about it; empty where nothing needs to be done.
    """

    state: Literal["ok", "note", "FAIL"]
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"  {self.state:<4}  {self.text}{': ' + self.remedy if self.remedy else ''}"
