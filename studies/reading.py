"""A study's YAML file, typed."""

from pathlib import Path
from typing import Annotated, TypeVar

import yaml
from pydantic import Field, ValidationError

from tasks.errors import ParamsError
from tasks.params.value_types import Section

# Of a data set, a model or an arm: it stands in commands and in names of files.
Name = Annotated[str, Field(pattern=r"^[a-z0-9_.]+$")]
_S = TypeVar("_S", bound=Section)


def read_section(path: Path, kind: type[_S], key: str | None = None) -> _S:
    """The content of a YAML file, or of its section `key`.

    Raises:
        ParamsError: there is no such file or section, or a key is missing, misspelt or out of range.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return kind.model_validate(content[key] if key else content)
    except FileNotFoundError as error:
        raise ParamsError(f"{path}: no such file; run in the folder of the study that has one") from error
    except ValidationError as error:
        start = (key,) if key else ()
        lines = [f"  {'.'.join(map(str, (*start, *fault['loc'])))}: {fault['msg']}" for fault in error.errors()]
        raise ParamsError("\n".join([f"{path} is not valid:", *lines])) from error
    except (yaml.YAMLError, ValueError, KeyError, TypeError) as error:
        section = f" with a section `{key}`" if key else ""
        raise ParamsError(f"{path}: expected YAML{section}: {error!r}") from error
