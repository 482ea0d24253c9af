"""scenes.yaml, typed, as tasks/params.py has params.yaml."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, ValidationError

from tasks.errors import ParamsError
from tasks.params import Positive, Section, Seed


class ScenesParams(Section):
    """What is drawn. The number of workers changes no byte: DVC does not track it."""

    seed: Seed
    count: Positive
    side_px: Annotated[int, Field(ge=64)]
    kinds_per_family: Positive
    classes: Literal["families", "kinds", "object"]
    workers: Positive | None


def read_scenes_params(path: Path) -> ScenesParams:
    """The section `scenes` of a scenes.yaml.

    Raises:
        ParamsError: there is no such file, or a key is missing, misspelt or out of range.
    """
    try:
        return ScenesParams.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))["scenes"])
    except FileNotFoundError as error:
        raise ParamsError(f"{path}: no such file; run from studies/base") from error
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ParamsError(f"{path}: expected YAML with a section `scenes`: {error!r}") from error
    except ValidationError as error:
        lines = [f"  scenes.{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise ParamsError("\n".join([f"{path} is not valid:", *lines])) from error
