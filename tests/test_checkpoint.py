import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tasks.checkpoint import checkpoint
from tasks.errors import CheckpointError, ConfigError
from tasks.files import sha256_of
from tasks.formats.packed_weights import write_packed
from tasks.params import CheckpointParams, ModelParams
from tests.file_server import serving

MODEL = "ssd_mobilenet_v2_fpnlite_320x320"
ARCHIVE = f"{MODEL}_coco17_tpu-8.tar.gz"
INDEX, DATA = b"an index", bytes(range(256)) * 2_000
ZOO_FILES = {
    "checkpoint/checkpoint": b"state",
    "checkpoint/ckpt-0.index": INDEX,
    "checkpoint/ckpt-0.data-00000-of-00001": DATA,
    "pipeline.config": b"model {}",
    "saved_model/saved_model.pb": b"a graph",
    "saved_model/variables/variables.index": b"other",
}


def archive_of(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def zoo_archive(path: Path, extra: dict[str, bytes] | None = None) -> Path:
    return archive_of(path, {f"{ARCHIVE[:-7]}/{name}": content for name, content in ZOO_FILES.items()} | (extra or {}))


def folder_of(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(DATA if "data" in name else INDEX)
    return path


def run(base: Path, source: str | Path, *, model: str = MODEL, zoo_url: str = "", sha256: str | None = None) -> dict:
    params = CheckpointParams(source=str(source), zoo_url=zoo_url, sha256=sha256)
    return checkpoint(params, ModelParams(name=model), base=base)


def described(base: Path) -> dict:
    return json.loads((base / "base.json").read_text())


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


CHECKPOINT_FILES = ["base.json", "checkpoint/ckpt-0.data-00000-of-00001", "checkpoint/ckpt-0.index"]


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("models/base")


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server of the folder `zoo`."""
    monkeypatch.setenv("no_proxy", "*")
    with serving(tmp_path / "zoo") as server:
        yield server.address


def test_the_zoos_checkpoint_is_fetched_and_the_rest_of_its_archive_left(base: Path, zoo: str, tmp_path: Path) -> None:
    archive = zoo_archive(tmp_path / "zoo" / ARCHIVE)
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()

    figures = run(base, "zoo", zoo_url=f"{zoo}/", sha256=sha256)

    assert files_in(base) == [*CHECKPOINT_FILES, "pipeline.config"]
    assert (base / "checkpoint/ckpt-0.data-00000-of-00001").read_bytes() == DATA
    assert described(base) == {
        "source": "zoo",
        "kind": "tf_checkpoint",
        "model": MODEL,
        "origin": f"{zoo}/{ARCHIVE}",
        "sha256": sha256,
        "licence": "Apache-2.0 (TensorFlow 2 Detection Model Zoo)",
    }
    assert figures == {"kind": "tf_checkpoint", "origin": f"{zoo}/{ARCHIVE}", "size": "0.5 MB"}
    assert files_in(Path("models/.downloads")) == []


def test_a_users_config_gets_the_zoos_weights_for_its_layers(base: Path, zoo: str, tmp_path: Path) -> None:
    zoo_archive(tmp_path / "zoo" / ARCHIVE)
    Path("configs").mkdir()
    Path("configs/mine.config").write_text(
        "model { ssd { image_resizer { fixed_shape_resizer { height: 256 width: 256 } }\n"
        "feature_extractor { type: 'ssd_mobilenet_v2_fpn_keras' } } }"
    )

    figures = run(base, "zoo", model="configs/mine.config", zoo_url=zoo)

    assert figures["origin"].endswith(ARCHIVE)
    assert described(base)["model"] == "configs/mine.config"


def test_a_checksum_that_differs_leaves_no_base_and_no_archive(base: Path, zoo: str, tmp_path: Path) -> None:
    zoo_archive(tmp_path / "zoo" / ARCHIVE)

    with pytest.raises(CheckpointError, match="SHA-256"):
        run(base, "zoo", zoo_url=zoo, sha256="0" * 64)
    assert files_in(Path("models")) == []


def test_a_hostile_archive_leaves_no_base_and_no_archive(base: Path, zoo: str, tmp_path: Path) -> None:
    zoo_archive(tmp_path / "zoo" / ARCHIVE, extra={"../../../escaped": b"!"})

    with pytest.raises(CheckpointError, match="archive refused"):
        run(base, "zoo", zoo_url=zoo)
    assert files_in(tmp_path) == [f"zoo/{ARCHIVE}"]


def test_an_archive_without_a_checkpoint_says_what_was_looked_for(base: Path, zoo: str, tmp_path: Path) -> None:
    archive_of(tmp_path / "zoo" / ARCHIVE, {"model/saved_model/assets.txt": b"no weights"})

    with pytest.raises(CheckpointError, match=r"checkpoint/ckpt-\*\.index"):
        run(base, "zoo", zoo_url=zoo)


@pytest.mark.parametrize("url", ["file:///tmp", "ftp://127.0.0.1"])
def test_a_zoo_that_is_not_on_http_is_refused(base: Path, url: str) -> None:
    with pytest.raises(CheckpointError, match="not an http"):
        run(base, "zoo", zoo_url=url)


def test_a_missing_archive_is_named_with_the_other_sources(base: Path, zoo: str) -> None:
    with pytest.raises(CheckpointError, match=rf"(?s){zoo}/{ARCHIVE}: .*404.*imagenet, none, or the path"):
        run(base, "zoo", zoo_url=zoo)


def test_an_earlier_base_survives_a_failure(base: Path, zoo: str) -> None:
    run(base, "none")

    with pytest.raises(CheckpointError):
        run(base, "zoo", zoo_url=zoo)
    assert described(base)["kind"] == "none"


def test_what_a_killed_run_had_unpacked_is_removed_by_the_next(base: Path) -> None:
    folder_of(Path("models/.base.4711.partial"), "unpacked/checkpoint/ckpt-0.data-00000-of-00001")

    run(base, "none")

    assert files_in(Path("models")) == ["base/base.json"]


def test_imagenet_weights_are_written_by_layer_and_always_the_same(base: Path) -> None:
    figures = run(base, "imagenet")

    assert figures["kind"] == described(base)["kind"] == "weights"
    assert described(base)["sha256"].startswith("b0353104")
    assert described(base)["licence"] == "BSD-3-Clause (torchvision)"
    with np.load(base / "weights.npz", allow_pickle=False) as weights:
        assert weights["Conv1/kernel"].shape == (3, 3, 3, 32)
        assert len(weights.files) == 260
    first = (base / "weights.npz").read_bytes()
    run(base, "imagenet")
    assert (base / "weights.npz").read_bytes() == first


@pytest.mark.parametrize("model", ["ssd_mobilenet_v1_fpn_640x640", "ssd_resnet50_v1_fpn_640x640"])
def test_imagenet_weights_for_another_backbone_are_refused(base: Path, model: str) -> None:
    with pytest.raises(CheckpointError, match="zoo, to the path of a checkpoint, or to none"):
        run(base, "imagenet", model=model)
    assert not base.exists()


def test_none_is_described_too(base: Path) -> None:
    assert run(base, "none") == {"kind": "none", "origin": "random numbers", "size": "0.0 MB"}
    assert files_in(base) == ["base.json"]


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


def test_the_label_map_that_the_class_head_was_made_for_is_taken_along(base: Path) -> None:
    folder_of(Path("models/trained"), "best/ckpt-0.index", "best/ckpt-0.data-00000-of-00001")
    Path("models/trained/label_map.pbtxt").write_text("item { id: 1 name: 'mug' }")

    run(base, "models/trained")

    assert (base / "label_map.pbtxt").read_text() == "item { id: 1 name: 'mug' }"


def test_a_checkpoints_prefix_is_taken_even_where_there_is_a_newer_one(base: Path) -> None:
    folder_of(Path("mine"), "ckpt-1.index", "ckpt-1.data-00000-of-00001", "ckpt-2.index")

    assert run(base, "mine/ckpt-1")["origin"] == "mine/ckpt-1"


@pytest.mark.parametrize("prefix", ["", "./", f"{ARCHIVE[:-7]}/"], ids=["flat", "dot", "one folder"])
def test_an_archive_got_elsewhere_is_taken(base: Path, prefix: str) -> None:
    archive = archive_of(Path("got") / "mine.tar.gz", {f"{prefix}{name}": data for name, data in ZOO_FILES.items()})

    figures = run(base, archive)

    assert files_in(base) == [*CHECKPOINT_FILES, "pipeline.config"]
    assert figures["origin"] == "got/mine.tar.gz/checkpoint/ckpt-0"
    assert described(base)["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert archive.exists()


SAVED_MODEL = ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"]


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


def test_where_a_folder_has_both_the_checkpoint_is_taken(base: Path) -> None:
    names = ["checkpoint/ckpt-0.index", "checkpoint/ckpt-0.data-00000-of-00001"]
    folder_of(Path("mine"), *names, *(f"saved_model/{name}" for name in SAVED_MODEL))

    assert run(base, "mine")["kind"] == "tf_checkpoint"


@pytest.mark.parametrize("source", ["imagenet", "none"])
def test_a_base_of_ours_is_copied_with_its_description(base: Path, source: str) -> None:
    run(Path("elsewhere"), source)

    run(base, "elsewhere")

    assert files_in(base) == files_in(Path("elsewhere"))
    assert described(base) == {**described(Path("elsewhere")), "source": "elsewhere"}


def test_a_base_of_ours_from_a_checkpoint_is_copied_too(base: Path) -> None:
    folder_of(Path("mine"), "ckpt-4.index", "ckpt-4.data-00000-of-00001")
    run(Path("elsewhere"), "mine")

    run(base, "elsewhere")

    assert files_in(base) == CHECKPOINT_FILES
    assert described(base)["origin"] == "mine/ckpt-4"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not what the checkpoint stage writes"),
        ('{"kind": "weights"}', "not what the checkpoint stage writes"),
        ('{"kind": "../x", "model": "", "origin": "", "sha256": "", "licence": ""}', "not what"),
        ('{"kind": ["weights"], "model": "", "origin": "", "sha256": "", "licence": ""}', "not what"),
        ('{"kind": "weights", "model": "", "origin": "", "sha256": "", "licence": ""}', "promises weights.npz"),
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


def test_a_misspelt_source_is_answered_with_the_nearest(base: Path) -> None:
    with pytest.raises(CheckpointError, match=r"did you mean imagenet\?"):
        run(base, "imagnet")


def test_a_misspelt_model_is_refused_before_anything_is_fetched(base: Path) -> None:
    with pytest.raises(ConfigError, match=r"model\.name"):
        run(base, "zoo", model="ssd_mobilenet", zoo_url="http://127.0.0.1:1")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the shipped base, with a small one in it."""
    folder = tmp_path / "weights"
    weights = folder / "mobilenet_v2_fpnlite.npz"
    write_packed({"model/_feature_extractor/x/kernel": np.full((2, 2), 0.5, np.float32)}, weights)
    card = {"sha256": sha256_of(weights), "origin": "made for a test", "licence": "Apache-2.0"}
    (folder / "mobilenet_v2_fpnlite.json").write_text(json.dumps(card))
    monkeypatch.setattr("tasks.shipped_base.FOLDER", folder)
    return folder


@pytest.mark.parametrize("model", [MODEL, "ssd_mobilenet_v2_fpnlite_640x640"])
def test_the_shipped_base_is_for_mobilenet_v2_fpnlite_at_any_size(base: Path, shipped: Path, model: str) -> None:
    figures = run(base, "base", model=model)

    assert described(base) == {
        "source": "base",
        "kind": "weights",
        "model": model,
        "origin": "weights/mobilenet_v2_fpnlite.npz, made for a test",
        "sha256": sha256_of(shipped / "mobilenet_v2_fpnlite.npz"),
        "licence": "Apache-2.0",
    }
    assert "fallback" not in figures
    with np.load(base / "weights.npz", allow_pickle=False) as weights:
        assert weights["model/_feature_extractor/x/kernel"].tolist() == [[0.5, 0.5], [0.5, 0.5]]
        assert weights["model/_feature_extractor/x/kernel"].dtype == np.float32


@pytest.mark.parametrize(
    ("model", "kind", "instead"),
    [
        ("ssd_mobilenet_v2_320x320", "weights", "the backbone starts from ImageNet weights"),
        ("ssd_mobilenet_v1_fpn_640x640", "none", "training starts from random numbers"),
        ("ssd_resnet50_v1_fpn_640x640", "none", "training starts from random numbers"),
    ],
)
def test_for_other_models_base_takes_what_there_is_and_says_so(
    base: Path, model: str, kind: str, instead: str, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = run(base, "base", model=model)

    assert figures["kind"] == described(base)["kind"] == kind
    assert figures["fallback"] == described(base)["fallback"]
    assert described(base)["source"] == "base"
    assert f"does not fit {model}: {instead}" in figures["fallback"]
    assert figures["fallback"] in capsys.readouterr().out
    run(Path("copy"), base)
    assert described(Path("copy"))["fallback"] == figures["fallback"]


def test_a_base_that_is_not_there_is_named_with_the_other_sources(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.shipped_base.FOLDER", tmp_path / "weights")

    with pytest.raises(CheckpointError, match=r"mobilenet_v2_fpnlite\.npz is not there; .*imagenet, zoo, none"):
        run(base, "base")
    assert not base.exists()


def test_a_base_that_is_not_the_cards_is_refused(base: Path, shipped: Path) -> None:
    write_packed({"other": np.ones(3)}, shipped / "mobilenet_v2_fpnlite.npz")

    with pytest.raises(CheckpointError, match="its SHA-256 is"):
        run(base, "base")


@pytest.mark.parametrize("text", ["{", "{}", "[]"])
def test_a_broken_card_is_named(base: Path, shipped: Path, text: str) -> None:
    (shipped / "mobilenet_v2_fpnlite.json").write_text(text)

    with pytest.raises(CheckpointError, match=r"mobilenet_v2_fpnlite\.json: not the card"):
        run(base, "base")
