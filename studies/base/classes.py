"""classes.yaml: which class a thing has, by the words in its name."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from studies.reading import read_section
from tasks.errors import ParamsError
from tasks.params.value_types import Section

# What has a phrase of this class is not used.
_NONE = "none"


class _File(Section):
    classes: dict[str, list[str]]


@dataclass(frozen=True)
class Classes:
    """The classes of the boxes: for each phrase, and for each folder, the class that asks for it."""

    phrases: dict[str, str]
    folders: dict[str, str]

    def of(self, name: str) -> str | None:
        """The class of a thing by its name or its file's path; None where there is none or it is not wanted."""
        *folders, own = name.lower().split("/")
        words = re.findall(r"[a-z]+|[0-9]+", own)
        found = {" ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)}
        asked = [phrase for phrase in self.phrases if phrase in found]
        if any(self.phrases[phrase] == _NONE for phrase in asked):
            return None
        if asked:
            return self.phrases[max(asked, key=lambda phrase: phrase.count(" "))]
        return next((self.folders[folder] for folder in reversed(folders) if folder in self.folders), None)


def read_classes(path: Path) -> Classes:
    """The classes of a classes.yaml.

    Raises:
        ParamsError: there is no such file, it is not valid, or two classes ask for the same phrase.
    """
    labels: dict[str, str] = {}
    for label, asked in read_section(path, _File).classes.items():
        for phrase in asked:
            if labels.setdefault(phrase, label) != label:
                raise ParamsError(f"{path}: `{phrase}` is a phrase of {labels[phrase]} and of {label}; keep one")
    return Classes(
        phrases={phrase: label for phrase, label in labels.items() if not phrase.startswith("/")},
        folders={phrase[1:]: label for phrase, label in labels.items() if phrase.startswith("/")},
    )


def emoji_name(path: str) -> str:
    """What Unicode calls the first sign of an emoji's file, named by its code points: `1f431.webp` is `cat face`."""
    try:
        return unicodedata.name(chr(int(PurePosixPath(path).stem.split("-")[0], 16)), "").lower()
    except (ValueError, OverflowError):
        return ""
