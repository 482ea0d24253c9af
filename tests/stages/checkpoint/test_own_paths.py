"""Stage checkpoint: folders, archives and checkpoints that the user names."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import yaml

from tasks.__main__ import main
from tasks.artifacts.base import write_arrays
from tasks.errors import CheckpointError
from tests.artifacts.base_descriptions import base_description, describe_base
from tests.stages.checkpoint.sources import (
    ARCHIVE,
    CHECKPOINT_FILES,
    DATA,
    SAVED_MODEL,
    ZOO_FILES,
    archive_of,
    described,
    files_in,
    folder_of,
    run,
)


@pytest.mark.parametrize(
    ("names", "origin"),
    [
        (["checkpoint/ckpt-0.index", "checkpoint/ckpt-0.data-00000-of-00001"], "mine/checkpoint/ckpt-0"),
        (["ckpt-7.index", "ckpt-7.data-00000-of-00001"], "mine/ckpt-7"),
        (["best/ckpt-3.index", "best/ckpt-3.data-00000-of-00001", "last/ckpt-9.index"], "mine/best/ckpt-3"),
        (["ckpt-9.index", "ckpt-10.index", "ckpt-10.data-00000-of-00001"], "mine/ckpt-10"),
    ],
    ids=["the zoo's layout", "directly", "models/trained", "the newest of two"],
)
def test_a_folder_with_a_checkpoint_is_taken(base: Path, names: list[str], origin: str) -> None:
    folder_of(Path("mine"), *names)

    figures = run(base, "mine")

    assert files_in(base) == CHECKPOINT_FILES
    assert (base / "checkpoint/ckpt-0.data-00000-of-00001").read_bytes() == DATA
    assert figures["origin"] == described(base)["origin"] == origin
    assert described(base)["source"] == "mine"


def test_every_shard_of_a_checkpoint_is_taken(base: Path) -> None:
    folder_of(Path("mine"), "ckpt-1.index", "ckpt-1.data-00000-of-00002", "ckpt-1.data-00001-of-00002")

    run(base, "mine")

    assert files_in(base / "checkpoint") == [
        "ckpt-0.data-00000-of-00002",
        "ckpt-0.data-00001-of-00002",
        "ckpt-0.index",
    ]


def test_the_label_map_of_the_class_head_is_copied_too(base: Path) -> None:
    folder_of(Path("models/trained"), "best/ckpt-0.index", "best/ckpt-0.data-00000-of-00001")
    Path("models/trained/label_map.pbtxt").write_text("item { id: 1 name: 'mug' }")

    run(base, "models/trained")

    assert (base / "label_map.pbtxt").read_text() == "item { id: 1 name: 'mug' }"


def test_a_named_checkpoint_is_taken_even_where_there_is_a_newer_one(base: Path) -> None:
    folder_of(Path("mine"), "ckpt-1.index", "ckpt-1.data-00000-of-00001", "ckpt-2.index")

    assert run(base, "mine/ckpt-1")["origin"] == "mine/ckpt-1"


@pytest.mark.parametrize("prefix", ["", "./", f"{ARCHIVE[:-7]}/"], ids=["flat", "dot", "one folder"])
def test_an_archive_from_elsewhere_is_taken(base: Path, prefix: str) -> None:
    archive = archive_of(Path("got") / "mine.tar.gz", {f"{prefix}{name}": data for name, data in ZOO_FILES.items()})

    figures = run(base, archive)

    assert files_in(base) == [*CHECKPOINT_FILES, "pipeline.config"]
    assert figures["origin"] == "got/mine.tar.gz/checkpoint/ckpt-0"
    assert described(base)["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert archive.exists()


@pytest.mark.parametrize(
    ("inside", "source"),
    [("", "mine"), ("saved_model/", "mine"), ("saved_model/", "mine/saved_model"), ("", "mine/variables/variables")],
    ids=["of a hub", "of an exporter", "named itself", "its variables"],
)
def test_a_saved_model_is_taken(base: Path, inside: str, source: str) -> None:
    folder_of(Path("mine"), *(f"{inside}{name}" for name in SAVED_MODEL))

    figures = run(base, source)

    assert files_in(base) == ["base.json", *sorted(SAVED_MODEL[1:])]
    assert (base / SAVED_MODEL[2]).read_bytes() == DATA
    assert figures["kind"] == described(base)["kind"] == "saved_model"
    assert figures["origin"] == f"mine/{inside}variables/variables"
    run(Path("copy"), base)
    assert files_in(Path("copy")) == files_in(base)


@pytest.mark.parametrize("prefix", ["", "./", "model/"], ids=["flat", "dot", "one folder"])
def test_an_archive_of_a_saved_model_is_taken(base: Path, prefix: str) -> None:
    files = {f"{prefix}{name}": DATA for name in [*SAVED_MODEL, "assets/x"]}

    figures = run(base, archive_of(Path("got/archive.tar.gz"), files))

    assert files_in(base) == ["base.json", *sorted(SAVED_MODEL[1:])]
    assert figures["origin"] == "got/archive.tar.gz/variables/variables"


def test_a_checkpoint_is_preferred_to_a_saved_model(base: Path) -> None:
    names = ["checkpoint/ckpt-0.index", "checkpoint/ckpt-0.data-00000-of-00001"]
    folder_of(Path("mine"), *names, *(f"saved_model/{name}" for name in SAVED_MODEL))

    assert run(base, "mine")["kind"] == "tf_checkpoint"


@pytest.mark.parametrize("source", ["imagenet", "none"])
def test_an_earlier_base_is_copied_with_its_description(base: Path, source: str) -> None:
    run(Path("elsewhere"), source)

    run(base, "elsewhere")

    assert files_in(base) == files_in(Path("elsewhere"))
    assert described(base) == {**described(Path("elsewhere")), "source": "elsewhere"}


def test_an_earlier_base_from_a_checkpoint_is_copied_too(base: Path) -> None:
    folder_of(Path("mine"), "ckpt-4.index", "ckpt-4.data-00000-of-00001")
    run(Path("elsewhere"), "mine")

    run(base, "elsewhere")

    assert files_in(base) == CHECKPOINT_FILES
    assert described(base)["origin"] == "mine/ckpt-4"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not what the checkpoint stage writes"),
        ('{"kind": "weights"}', "not what the checkpoint stage writes: model: Field required"),
        (base_description().model_dump_json().replace("weights", "../x"), "not what the checkpoint stage writes: kind"),
        (base_description().model_dump_json().replace('"weights"', '["weights"]', 1), "not what the checkpoint stage"),
        (base_description().model_dump_json(), "promises weights.npz"),
    ],
    ids=["not json", "keys missing", "unknown kind", "a list", "no weights"],
)
def test_a_broken_base_is_refused(base: Path, text: str, complaint: str) -> None:
    Path("elsewhere").mkdir()
    Path("elsewhere/base.json").write_text(text)

    with pytest.raises(CheckpointError, match=f"elsewhere .base.json.: {complaint}"):
        run(base, "elsewhere")
    assert not base.exists()


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ([], "looked for base.json, best/ckpt"),
        (["variables.index"], "looked for"),
        (["saved_model.pb"], "mine/variables/variables.index: missing or empty"),
        (["variables/variables.index"], "variables.data-00000-of-00001: missing or empty"),
        (["ckpt-0.index"], "data-00000-of-00001: missing or empty"),
        (["ckpt-0.index", "ckpt-0.data-00000-of-00002"], "data-00001-of-00002: missing or empty"),
    ],
    ids=["empty", "another format", "a frozen SavedModel", "a SavedModel cut short", "no data", "a shard missing"],
)
def test_a_folder_without_a_whole_checkpoint_is_refused(base: Path, names: list[str], complaint: str) -> None:
    Path("mine").mkdir()
    folder_of(Path("mine"), *names)

    with pytest.raises(CheckpointError, match=complaint):
        run(base, "mine")
    assert not base.exists()


def test_an_empty_index_is_refused(base: Path) -> None:
    folder_of(Path("mine"), "ckpt-0.index", "ckpt-0.data-00000-of-00001")
    os.truncate("mine/ckpt-0.index", 0)

    with pytest.raises(CheckpointError, match=r"ckpt-0\.index: missing or empty"):
        run(base, "mine")


def test_the_error_for_a_misspelt_source_suggests_the_nearest(base: Path) -> None:
    with pytest.raises(CheckpointError, match=r"did you mean imagenet\? It may be"):
        run(base, "imagnet")


def damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (damaged, "not a readable .npz of weights"),
        (lambda content: content[: len(content) // 2], "not a readable .npz of weights"),
        (lambda content: b"<html>", "not a readable .npz of weights"),
    ],
    ids=["a byte flipped", "cut short", "no archive"],
)
def test_damaged_arrays_of_an_earlier_base_are_refused_before_training(base: Path, damage, complaint: str) -> None:
    earlier = describe_base(Path("elsewhere"))
    write_arrays({"conv/kernel": np.arange(9000, dtype=np.float32)}, earlier)
    run(base, "elsewhere")
    file = earlier / "weights.npz"
    file.write_bytes(damage(file.read_bytes()))

    with pytest.raises(CheckpointError, match=complaint):
        run(Path("another"), "elsewhere")
    assert not Path("another").exists()


@pytest.mark.parametrize(
    ("array", "complaint"),
    [(np.array(["a"]), "holds <U1, not weights"), (np.array([{}], dtype=object), "not a readable .npz of weights")],
    ids=["text", "a pickle"],
)
def test_arrays_that_are_no_numbers_are_refused(base: Path, array: np.ndarray, complaint: str) -> None:
    earlier = describe_base(Path("elsewhere"))
    np.savez(earlier / "weights.npz", name=array)
    with pytest.raises(CheckpointError, match=complaint):
        run(base, "elsewhere")


def test_a_description_is_printed_without_what_a_terminal_obeys(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    earlier = describe_base(Path("elsewhere"), origin="evil \x1b[2J\u202e origin", fallback="\x1b[31m red")
    write_arrays({"conv/kernel": np.zeros(9, dtype=np.float32)}, earlier)
    params = yaml.safe_load((Path(__file__).parents[3] / "params.yaml").read_text())
    params["checkpoint"]["source"] = "elsewhere"
    Path("params.yaml").write_text(yaml.safe_dump(params))
    assert main(["checkpoint"]) == 0
    output = capsys.readouterr().out
    assert "origin" in output
    assert "red" in output
    assert "\x1b" not in output
    assert "\u202e" not in output
