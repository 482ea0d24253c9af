"""The account, the project, the images and the first drafts in Label Studio."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from lxml import etree

from tasks.__main__ import main
from tasks.annotating.drafts import _of_classes, add_drafts, tasks_to_draft
from tasks.annotating.project import Project, address_of, label_config, regions
from tasks.annotating.server import account_of, label_studio
from tasks.commands.annotate import _classes_to_draw
from tasks.dataset.detections import Detections
from tasks.errors import PipelineError
from tasks.formats.label_studio import read_label_studio
from tasks.ground.files import write_json
from tasks.model.label_map import write_label_map
from tests.annotating.drawing import STATE, photos, served
from tests.metrics.cases import detect
from tests.ports import free_ports


def test_the_tool_has_one_rectangle_for_each_class_whatever_its_name() -> None:
    view = etree.fromstring(label_config(["cat", 'a "dog" & <b>']))
    assert [label.get("value") for label in view.iter("Label")] == ["cat", 'a "dog" & <b>']


def test_a_drafted_box_is_read_back_as_it_was(tmp_path: Path) -> None:
    drafted = regions(detect(((10, 20, 110, 70), "cat", 0.9), ((0, 0, 200, 100), "dog", 0.5)), (200, 100))
    task = {"data": {"image": "/data/local-files/?d=photos/a.jpg"}, "annotations": [{"result": drafted}]}
    write_json(tmp_path / "export.json", [task])

    (image,), problems = read_label_studio(tmp_path / "export.json")

    assert problems == []
    assert image.classes == ("cat", "dog")
    np.testing.assert_allclose(image.boxes, [[10, 20, 110, 70], [0, 0, 200, 100]], atol=1e-9)


def test_the_account_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = account_of(tmp_path / "folder")
    assert account_of(tmp_path / "folder") == first
    assert (tmp_path / "folder" / "account.json").stat().st_mode & 0o777 == 0o600

    (tmp_path / "folder" / "account.json").write_text("{}")
    with pytest.raises(PipelineError, match=r"account\.json: damaged"):
        account_of(tmp_path / "folder")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["photos"], "no classes to draw; name them"),
        (["nowhere", "--classes", "cat"], "nowhere: no such folder"),
        (["empty", "--classes", "cat"], "no images found"),
        (["photos", "--review", "nowhere.json"], "nowhere.json: no such file; expected what `python -m tasks review`"),
        (["photos", "--classes", "cat"], "Label Studio is not installed; `make annotate IMAGES=folder` does it"),
    ],
)
def test_a_missing_input_is_reported_before_anything_starts(
    arguments: list[str],
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    photos(tmp_path / "photos", 1)
    (tmp_path / "empty").mkdir()
    assert main(["annotate", *arguments]) == 1
    assert complaint in capsys.readouterr().err


def test_a_link_to_an_image_outside_the_folder_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos(folder / "photos", 1)
    photos(folder / "elsewhere", 1)
    (folder / "photos" / "link.jpg").symlink_to(folder / "elsewhere" / "photo 0.jpg")
    assert main(["annotate", str(folder / "photos"), "--classes", "cat"]) == 1
    assert "link.jpg: a link to" in (message := capsys.readouterr().err)
    assert "put a copy in its place" in message


def test_a_model_of_other_classes_is_not_loaded(folder: Path) -> None:
    photos(folder / "photos", 1)
    exported_model(folder / "models" / "exported", "circle", "square")
    with served(folder) as (_, printed):
        state = json.loads((folder / STATE).read_text())
        view = etree.fromstring(state["projects"][0]["label_config"])
    assert [label.get("value") for label in view.iter("Label")] == ["cat", "dog"]
    assert "models/exported: knows none of these classes, so there are no first drafts" in "".join(printed)


def test_without_wanted_classes_those_of_the_model_are_drawn() -> None:
    assert _classes_to_draw([], ["circle", "square"]) == ("circle", "square")
    assert _classes_to_draw(["dog", "cat", "dog"], ["circle"]) == ("dog", "cat")


def test_classes_of_the_task_are_drafted_once_an_image(folder: Path) -> None:
    photos(folder / "photos", 2)
    (port,) = free_ports(1)
    images = {address_of(path, folder / "photos"): path for path in sorted((folder / "photos").iterdir())}
    with label_studio(folder / ".annotate", folder, port) as client:
        project = Project(client, folder / "photos", ["cat", "dog"])
        project.add_images(images)
        tasks = tasks_to_draft(project, images, "v1")
        assert list(tasks) == [str(path) for path in images.values()]
        add_drafts(project, tasks, Seeing(), 0.5, ["cat"], "v1")
        drafts = client.get("/api/predictions/").json()
        assert [[region["value"]["rectanglelabels"] for region in each["result"]] for each in drafts] == [[["cat"]]] * 2
        assert tasks_to_draft(project, images, "v1") == {}
        assert len(tasks_to_draft(project, images, "v2")) == 2


def test_classes_are_drafted_as_they_are_drawn_whatever_their_unicode_form() -> None:
    detections = detect(((10, 20, 110, 70), "cafe\u0301", 0.9), ((0, 0, 200, 100), "dog", 0.5))
    drafted = _of_classes(detections, ["caf\u00e9"])
    assert (drafted.classes, drafted.scores.tolist()) == (("caf\u00e9",), [0.9])


def test_a_named_model_that_is_missing_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos(folder / "photos", 1)
    assert main(["annotate", str(folder / "photos"), "--classes", "cat", "--model", str(folder / "nowhere")]) == 1
    assert "nowhere: no exported model; MODEL= is a folder with saved_model/" in capsys.readouterr().err


class Seeing:
    """Stands where a trained model stands: a cat, a circle, and a doubtful cat in every image."""

    classes = ("cat", "circle")

    def detect(self, images: Sequence[npt.NDArray[np.uint8]]) -> list[Detections]:
        box = (20, 30, 90, 80)
        return [detect((box, "cat", 0.9), (box, "circle", 0.8), (box, "cat", 0.2)) for _ in images]


def exported_model(folder: Path, *classes: str) -> None:
    """What looks like one, and cannot be loaded."""
    (folder / "saved_model").mkdir(parents=True)
    write_label_map(classes, folder / "label_map.pbtxt")
