"""`python -m tasks learning-curve`: the sentences before any training, and what is written after the trainings."""

import io
import json
import re
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from tasks.__main__ import main
from tasks.artifacts.learning_curve import read_learning_curve
from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.dataset.detections import Detections
from tasks.dataset.split_files import write_coco_splits
from tasks.dataset.splits import SPLITS
from tasks.tfrecords.tf_example import encode_example
from tasks.tfrecords.tfrecord import write_records
from tests.artifacts.base_descriptions import describe_base

ROOT = Path(__file__).parents[2]
CLASSES = ("cat", "dog")
COUNTS = {"train": 40, "val": 8, "test": 12}
BOXES = {"cat": [2.0, 2.0, 12.0, 12.0], "dog": [20.0, 10.0, 36.0, 26.0]}


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30)).save(buffer, "JPEG")
    return buffer.getvalue()


def of_split(split: str, count: int) -> list[AnnotatedImage]:
    """Every image shows a cat, every second one a dog too."""
    images = []
    for number in range(count):
        names = ("cat", "dog")[: 2 - number % 2]
        boxes, n = as_boxes([BOXES[name] for name in names]), len(names)
        sha256 = f"{SPLITS.index(split)}{number:063x}"
        name = f"{split}_{number:02}.jpg"
        images.append(AnnotatedImage(name, 40, 30, boxes, names, flags(n), flags(n), sha256=sha256))
    return images


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with what the stages up to configure write, as far as the command reads it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    write_images(COUNTS)
    describe_base(tmp_path / "models/base", "none")
    (tmp_path / "models/pipeline.config").write_text("")
    return tmp_path


def write_images(counts: dict[str, int]) -> None:
    images = {split: of_split(split, count) for split, count in counts.items()}
    write_coco_splits({split: Dataset(Path("photos"), CLASSES, tuple(own)) for split, own in images.items()}, splits())
    records = Path("data/records")
    records.mkdir(parents=True, exist_ok=True)
    (records / "label_map.pbtxt").write_text("item { id: 1 name: 'cat' }\nitem { id: 2 name: 'dog' }\n")
    ids, pixels = {"cat": 1, "dog": 2}, jpeg()
    for split, own in images.items():
        examples = [
            encode_example(image, pixels, "jpeg", ids, source_id=str(number), sha256=image.sha256)
            for number, image in enumerate(own, start=1)
        ]
        write_records(records / f"{split}-00000-of-00001.tfrecord", examples)


def splits() -> Path:
    folder = Path("data/splits")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The trainings that were asked for; one that learned from n images finds n in 50 boxes, and is not run."""
    asked: list[Any] = []

    def detect_after_each(
        params: Any, records: Any, held_out: Any, trainings: Sequence[Any], **paths: Path
    ) -> list[list[Detections]]:
        asked.extend(trainings)
        return [[detections_of(image, training) for image in held_out.images.images] for training in trainings]

    def detections_of(image: AnnotatedImage, training: Any) -> Detections:
        random = np.random.default_rng([training.seed, int(image.sha256[-4:], 16)])
        kept = random.random(len(image.classes)) < training.chosen.sum() / 50
        scores = np.full(int(kept.sum()), 0.9)
        return Detections(image.boxes[kept], tuple(np.array(image.classes)[kept]), scores)

    # TensorFlow stays out of these tests.
    repeated = types.ModuleType("tasks.training.repeated")
    repeated.LabelledRecords = lambda folder, shards, images: types.SimpleNamespace(shards=shards, images=images)  # type: ignore[attr-defined]
    trainings = types.ModuleType("tasks.training.subset_trainings")
    trainings.SubsetTraining = lambda title, chosen, seed: types.SimpleNamespace(  # type: ignore[attr-defined]
        title=title, chosen=chosen, seed=seed
    )
    trainings.detect_after_each = detect_after_each  # type: ignore[attr-defined]
    for module in (repeated, trainings):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return asked


def test_the_answer_is_printed_and_written_as_page_and_json(
    project: Path, trained: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["learning-curve", "--seeds", "4", "--out", "curve.html"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [re.sub(r"mAP .*", "mAP", line) for line in lines[:3]] == [
        "25 % (10 images): mAP",
        "50 % (20 images): mAP",
        "100 % (40 images): mAP",
    ]
    assert re.fullmatch(
        r"twice the labels \(80 images\): mAP 0\.\d\d \(.*\), now 0\.\d\d \(.*\); on the same images \+0\.\d\d \(.*\)",
        lines[3],
    )
    assert re.fullmatch(r"to see a gain of 0\.02 takes about \d+ test images, you have 12", lines[4])
    assert lines[-2:] == ["curve.html: the page", "curve.json: the same as JSON"]
    measured = read_learning_curve(Path("curve.json"))
    assert (measured.scored, measured.curve is not None) == ({"val": 8, "test": 12}, True)
    page = Path("curve.html").read_text()
    # The page has it as a sentence.
    assert lines[3].replace("twice", "Twice", 1) in page.replace("&#43;", "+")
    assert "needs no network" in page
    assert page.count("<svg") == 1
    assert "url(http" not in page
    assert [int(training.chosen.sum()) for training in trained] == [10, 20, 40] * 4
    assert [training.seed for training in trained] == [seed for seed in (1, 2, 3, 4) for _ in range(3)]
    first, second = trained[0].chosen, trained[3].chosen
    assert (first != second).any()
    assert (first <= trained[1].chosen).all()


def test_a_curve_that_does_not_rise_is_a_sentence_on_terminal_and_page(
    project: Path, trained: list[Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["tasks.training.subset_trainings"]
    nothing = Detections(as_boxes([]), (), np.zeros(0))
    monkeypatch.setattr(
        module,
        "detect_after_each",
        lambda _, __, held, asked, **paths: [[nothing] * len(held.images.images)] * len(asked),
    )
    assert main(["learning-curve"]) == 0
    assert "mAP is 0 after every training" in capsys.readouterr().out
    assert "mAP is 0 after every training" in Path("reports/learning_curve.html").read_text()
    assert json.loads(Path("reports/learning_curve.json").read_text())["curve"] is None


def without(name: str) -> Callable[[], None]:
    return lambda: Path(name).unlink()


def with_images(**counts: int) -> Callable[[], None]:
    return lambda: write_images(COUNTS | counts)


def of_another_split() -> None:
    renamed = Dataset(Path("photos"), CLASSES, tuple(of_split("test", 40)))
    empty = Dataset(Path("photos"), CLASSES, ())
    write_coco_splits({"train": renamed, "val": empty, "test": empty}, splits())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without("data/records/label_map.pbtxt"), "data/records/label_map.pbtxt: no such file; run `dvc repro`"),
        (without("models/base/base.json"), "models/base/base.json: no such file; run `dvc repro`"),
        (without("models/pipeline.config"), "models/pipeline.config: no such file; run `dvc repro`"),
        (with_images(train=2), "2 training images, 2 of them different"),
        (with_images(train=20), "25 % of the training images are 5 images, of which 3 with 'dog'; from 4 images"),
        (with_images(val=0, test=8), "of the 8 val and test images 4 show the rarest class"),
        (with_images(val=0, test=0), "of the 0 val and test images 0 show the rarest class"),
        (of_another_split, "data/records holds other training images than data/splits: run `dvc repro configure`"),
    ],
)
def test_what_is_missing_is_a_sentence_before_any_training(
    change: Callable[[], None], sentence: str, project: Path, trained: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    change()
    assert main(["learning-curve"]) == 1
    assert f"learning-curve: {sentence}" in capsys.readouterr().err
    assert trained == []
    assert not Path("reports/learning_curve.json").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--sizes 100", "--sizes 100: two or more, rising"),
        ("--sizes 50 25 100", "--sizes 50 25 100: two or more, rising"),
        ("--sizes 25 50", "--sizes 25 50: two or more, rising, of which the last is 100"),
        ("--sizes 0 100", "--sizes 0 100: two or more, rising"),
        ("--seeds 1", "--seeds 1: from 2, whose difference shows what is chance"),
        ("--steps 0", "--steps 0: at least 1"),
        ("--out curve.png", "--out curve.png: a file that ends in .html"),
    ],
)
def test_options_out_of_range_are_refused(
    options: str, sentence: str, project: Path, trained: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["learning-curve", *options.split()]) == 1
    assert f"learning-curve: {sentence}" in capsys.readouterr().err
    assert trained == []


def test_steps_of_the_option_take_the_place_of_the_params_and_no_time_limit_cuts_a_training(
    project: Path, trained: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["train"] |= {"max_minutes": 1, "decay_steps": 1000}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    module, seen = sys.modules["tasks.training.subset_trainings"], []
    detect = module.detect_after_each

    def noting(given: Any, *others: Any, **paths: Path) -> Any:
        seen.append(given)
        return detect(given, *others, **paths)

    monkeypatch.setattr(module, "detect_after_each", noting)
    assert main(["learning-curve", "--steps", "40"]) == 0
    assert main(["learning-curve"]) == 0
    own, of_params = seen
    assert (own.steps, own.warmup_steps, own.decay_steps, own.max_minutes) == (40, 4, None, None)
    assert (of_params.steps, of_params.warmup_steps, of_params.decay_steps, of_params.max_minutes) == (
        300,
        30,
        1000,
        None,
    )
