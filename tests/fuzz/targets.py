"""Every parser of what strangers bring: how it is called with a file, and files to start from.

Whatever the bytes, a parser gives what they say, or raises a `PipelineError`; any other exception is a bug.
"""

import json
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from onnx import helper

from studies.weights.torch_weights import read_torch_weights
from tasks.artifacts.training_photos import TRAINING_PHOTOS, photo_facts, read_training_photos, write_training_photos
from tasks.dataset.boxes import as_boxes
from tasks.dataset.coco_json import read_coco, read_detections
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.errors import FormatError, PipelineError
from tasks.evaluation.onnx_ops import read_onnx
from tasks.formats.csv import read_csv
from tasks.formats.given_splits import splits_by_list
from tasks.formats.label_studio import read_label_studio
from tasks.formats.pascal_voc import read_voc
from tasks.formats.yolo import read_yolo
from tasks.formats.yolo_names import read_names
from tasks.formats.yolo_splits import splits_of_yolo
from tasks.images.image_file import inspect_image
from tasks.model.label_map import read_label_map, write_label_map
from tasks.params import read_params
from tasks.partition.memory import SplitMemory, read_split_memory, write_split_memory
from tasks.prediction.ledger import LEDGER, Entry, Ledger, Made, Stamp
from tasks.prediction.photo_results import Photo, copy_result, found_result
from tasks.tfrecords.tf_example import decode_example, encode_example
from tasks.tfrecords.tfrecord import read_records, write_records
from tasks.weights.archive import extract
from tests.evaluation.onnx_models import body, model
from tests.fuzz import reviewed
from tests.malformed.corpus import CORPUS, write
from tests.studies.weights.torch_file import Storage, tensor, torch_file

_ONE_IMAGE = Dataset(
    Path(),
    ("cat",),
    (AnnotatedImage("a.jpg", 64, 48, as_boxes([[1, 2, 30, 40]]), ("cat",), flags(1), flags(1)),),
)


_PHOTO = Photo("a.png", Path("a.png"), Stamp(1, 2, 3), "0" * 64)
_RESULT = json.dumps(
    {
        "info": {"sha256": _PHOTO.sha256, "model": "m", "score_threshold": 0.5},
        "images": [{"id": 1, "file_name": "a.png", "drawn": None, "width": 9, "height": 9}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.9}],
        "categories": [{"id": 1, "name": "cat"}],
    }
).encode()


@dataclass(frozen=True)
class Target:
    """One parser.

    Attributes:
        file: what the file is called below the folder that `parse` is given.
        parse: reads it.
        area: of the corpus of malformed inputs; its files called `like` are seeds.
        own: more seeds; for formats that the corpus lacks, the only ones.
        largest_seed: files of more bytes are none; smaller where reading one takes long.
    """

    file: str
    parse: Callable[[Path], object]
    area: str = ""
    like: str = ""
    own: Callable[[Path], bytes] | None = None
    largest_seed: int = 20_000

    def run(self, content: bytes, folder: Path) -> bool:
        """Parse `content` from a file below `folder`; whether it was accepted. Any error but a refusal is raised."""
        path = folder / self.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        try:
            with warnings.catch_warnings():
                # Libraries warn of some of what is broken; tests make errors of that, and stages do not.
                warnings.simplefilter("ignore")
                self.parse(folder)
        except PipelineError as error:
            str(error).encode()  # a message that cannot be printed is no message
            return False
        return True

    def seeds(self) -> list[bytes]:
        """Small files to start from, in a fixed order."""
        with TemporaryDirectory() as folder:
            own = [self.own(Path(folder))] if self.own else []
            return own + list(dict.fromkeys(self._malformed(Path(folder) / "malformed")))

    def _malformed(self, folder: Path) -> Iterator[bytes]:
        for number, case in enumerate(case for case in CORPUS.values() if self.area and case.area == self.area):
            if case.large:
                continue
            write(case, folder / str(number))
            for path in sorted((folder / str(number)).rglob("*")):
                if fnmatch(path.name, self.like) and path.is_file() and path.stat().st_size <= self.largest_seed:
                    yield path.read_bytes()


def _coco(folder: Path) -> None:
    for image in read_coco(folder / "a.json").images:
        assert image.boxes.shape == (len(image.classes), 4)


def _archive(folder: Path) -> None:
    with TemporaryDirectory(dir=folder) as into:
        extract(folder / "a.tar.gz", Path(into) / "out", lambda _: True, max_bytes=10_000_000, max_members=100)


def _memory(folder: Path) -> None:
    memory = read_split_memory(folder / "splits.json", {"seed": 1})
    write_split_memory(memory, folder / "again.json")
    assert read_split_memory(folder / "again.json", {"seed": 1}) == memory


def _yolo(folder: Path) -> None:
    (folder / "data.yaml").write_text("names: [cat, dog]", encoding="utf-8")
    read_yolo(folder)


def _data_yaml(folder: Path) -> None:
    names = read_names(folder)
    assert min(names) >= 0
    splits_of_yolo(folder, [folder / "train" / "a.jpg"], [folder])


def _label_map(folder: Path) -> bytes:
    write_label_map(["cat", "dög"], folder / "seed")
    return (folder / "seed").read_bytes()


def _example() -> bytes:
    return encode_example(_ONE_IMAGE.images[0], b"an image", "png", {"cat": 1}, source_id="1", sha256="0" * 64)


def _records(folder: Path) -> bytes:
    write_records(folder / "seed", [_example(), b"", b"abc"])
    return (folder / "seed").read_bytes()


def _torch(folder: Path) -> bytes:
    storage = Storage("FloatStorage", "11", np.arange(6, dtype="<f4"))
    return torch_file(folder / "seed", OrderedDict(w=tensor(storage, (2, 3), (3, 1))), [storage]).read_bytes()


def _onnx(_: Path) -> bytes:
    made = model(metadata={"classes": '["cat"]'})
    inner = body(helper.make_node("Identity", ["n"], ["x"]))
    made.graph.node.append(helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner))
    return made.SerializeToString()


def _detections(_: Path) -> bytes:
    return json.dumps([{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}]).encode()


def _training_photos(folder: Path) -> bytes:
    write_training_photos(photo_facts(np.ones((2, 8), np.float32), [(9.0, 0.5), (200.0, 0.1)]), folder)
    return (folder / TRAINING_PHOTOS).read_bytes()


def _split_memory(folder: Path) -> bytes:
    write_split_memory(SplitMemory({"seed": 1}, {"a" * 64: "train", "b" * 64: "test"}), folder / "seed")
    return (folder / "seed").read_bytes()


def _ledger(folder: Path) -> bytes:
    (folder / "out").mkdir()
    done = Entry(
        name=_PHOTO.name, sha256=_PHOTO.sha256, stamp=_PHOTO.stamp, made=Made("m", 0.5, False), boxes={"cat": 1}
    )
    Ledger(folder / "out", folder).add(
        [done, Entry(name="b.png", sha256="1" * 64, stamp=Stamp(1, 2, 3), unreadable="why")]
    )
    return (folder / "out" / LEDGER).read_bytes()


def _photo_result(folder: Path) -> None:
    entry = found_result(_PHOTO, folder / "out")
    if entry is None:
        raise FormatError("none of predict-folder's")
    copy = Photo("copy.png", folder / "copy.png", _PHOTO.stamp, _PHOTO.sha256)
    assert copy_result(copy, entry, folder / "out")
    assert found_result(copy, folder / "out")


TARGETS = {
    "voc": Target("a.xml", lambda folder: read_voc(folder / "a.xml"), "voc", "*.xml"),
    "csv": Target("a.csv", lambda folder: read_csv(folder / "a.csv", {}), "csv", "*.csv"),
    "coco": Target("a.json", _coco, "coco", "*.json"),
    "yolo_labels": Target("labels/a.txt", _yolo, "yolo", "*.txt"),
    "yolo_names": Target("data.yaml", _data_yaml, "yolo", "data.yaml"),
    "label_studio": Target("a.json", lambda folder: read_label_studio(folder / "a.json"), "label-studio", "*.json"),
    "image": Target("a.png", lambda folder: inspect_image(folder / "a.png", max_megapixels=1), "images", "*.[!x]*"),
    "archive": Target("a.tar.gz", _archive, "archives", "*.tar.gz"),
    "params": Target(
        "params.yaml", lambda folder: read_params(folder / "params.yaml"), "params", "params.yaml", largest_seed=1000
    ),
    "given_splits": Target("ImageSets/Main/val.txt", splits_by_list, "given split", "test.txt"),
    "split_memory": Target("splits.json", _memory, "split memory", "splits.json", _split_memory),
    "kept_labels": Target("kept.json", reviewed.kept, own=reviewed.kept_seed),
    "review_export": Target("a.json", reviewed.review_export, "label-studio", "*.json", reviewed.export_seed),
    "review_tasks": Target("a.json", reviewed.review_tasks, own=reviewed.tasks_seed),
    "label_map": Target("a.pbtxt", lambda folder: read_label_map(folder / "a.pbtxt"), own=_label_map),
    "tf_example": Target("a", lambda folder: decode_example((folder / "a").read_bytes()), own=lambda _: _example()),
    "tfrecord": Target("a", lambda folder: list(read_records(folder / "a")), own=_records),
    "torch_weights": Target("a.pth", lambda folder: read_torch_weights(folder / "a.pth"), own=_torch),
    "ledger": Target(f"out/{LEDGER}", lambda folder: Ledger(folder / "out", folder), own=_ledger),
    "photo_result": Target("out/a.png.json", _photo_result, own=lambda _: _RESULT),
    "onnx": Target("a.onnx", lambda folder: read_onnx(folder / "a.onnx", trust=False), own=_onnx),
    "training_photos": Target(TRAINING_PHOTOS, read_training_photos, own=_training_photos),
    "detections": Target("a.json", lambda folder: read_detections(folder / "a.json", _ONE_IMAGE), own=_detections),
}
