"""Archives as the zoo has them, with random numbers: real checkpoints with exactly the variables that the zoo's have.

Names and shapes are those of `../shared/zoo/MODEL/variables.tsv`, which is no part of the repository.
"""

import shutil
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

ZOO = Path(__file__).parents[2] / "shared" / "zoo"
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
needs_zoo = pytest.mark.skipif(not ZOO.is_dir(), reason=f"{ZOO} is not here: the zoo's variable lists are needed")
# The serialised graph of a single object that has no variable: only object-based loading reads it, which we do without.
_OBJECT_GRAPH = b"\n\x00"


def archive_name(model: str) -> str:
    return f"{model}_coco17_tpu-8.tar.gz"


def zoo_values(model: str) -> dict[str, Any]:
    """A value for each row of the list, by its whole key; floats differ from key to key, and are always the same."""
    rows = (line.split("\t") for line in (ZOO / model / "variables.tsv").read_text().splitlines()[1:])
    return {key: _value(key, shape) for key, shape in rows}


def _value(key: str, shape: str) -> Any:
    if key == "_CHECKPOINTABLE_OBJECT_GRAPH":
        return _OBJECT_GRAPH
    if key == f"save_counter{SUFFIX}":
        return np.int64(1)
    sides = tuple(int(side) for side in shape.split("x"))
    value = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(sides, np.float32)
    return np.abs(value) if key.endswith(f"/moving_variance{SUFFIX}") else value


def _undated(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = 0
    return member


def write_zoo_archive(model: str, folder: Path) -> Path:
    """`MODEL_coco17_tpu-8.tar.gz` in `folder`, in the zoo's layout."""
    archive = folder / archive_name(model)
    root = folder / archive.name.removesuffix(".tar.gz")
    (root / "checkpoint").mkdir(parents=True)
    (root / "saved_model").mkdir()
    values = zoo_values(model)
    tf.raw_ops.SaveV2(
        prefix=str(root / "checkpoint" / "ckpt-0"),
        tensor_names=list(values),
        shape_and_slices=[""] * len(values),
        tensors=[tf.constant(value) for value in values.values()],
    )
    (root / "checkpoint" / "checkpoint").write_text('model_checkpoint_path: "ckpt-0"\n')
    (root / "saved_model" / "saved_model.pb").write_bytes(b"a graph")
    shutil.copyfile(ZOO / model / "pipeline.config", root / "pipeline.config")
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(root, arcname=root.name, filter=_undated)
    shutil.rmtree(root)
    return archive
