"""Files that predictions are written to, and from which score on."""

import pytest
from PIL import Image, ImageSequence

from tasks.errors import DataError, FormatError
from tasks.model.thresholds import Thresholds, write_thresholds
from tasks.prediction.inputs import find_inputs
from tasks.prediction.threshold import score_threshold
from tests.prediction.finding import WhiteFinder, listed, picture, predict_images


def test_what_is_found_is_listed_as_coco_json(tmp_path):
    path = picture(tmp_path / "photos" / "a.png")
    predict_images([path], WhiteFinder(), tmp_path / "out", 0.3, 8)
    content = listed(tmp_path / "out")
    assert content["categories"] == [{"id": 1, "name": "nothing"}, {"id": 2, "name": "white"}]
    assert content["images"] == [
        {"id": 1, "file_name": path.as_posix(), "drawn": "a.jpg", "width": 60, "height": 40},
    ]
    assert content["annotations"] == [
        {
            "id": 1,
            "image_id": 1,
            "category_id": 2,
            "bbox": [10.0, 5.0, 20.0, 20.0],
            "score": 0.9,
            "area": 400.0,
            "iscrowd": 0,
        }
    ]


def test_a_lower_threshold_lists_doubtful_detections(tmp_path):
    path = picture(tmp_path / "a.png")
    outcome = predict_images([path], WhiteFinder(), tmp_path / "out", 0.0, 8)
    assert [row["score"] for row in listed(tmp_path / "out")["annotations"]] == [0.9, 0.2]
    assert outcome.boxes == 2


def test_each_image_is_drawn_under_a_name_of_its_own(tmp_path):
    paths = [picture(tmp_path / name) for name in ("x/cat.png", "y/cat.jpg", "y/CAT.bmp", "y/cat-2.png")]
    predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 8)
    names = [image["drawn"] for image in listed(tmp_path / "out")["images"]]
    assert names == ["cat.jpg", "cat-2.jpg", "CAT-3.jpg", "cat-2-2.jpg"]
    for name in names:
        with Image.open(tmp_path / "out" / name) as image:
            assert image.format == "JPEG"
            assert image.size == (60, 40)
            assert len(image.getcolors(60 * 40) or ()) > 2
    assert len(list((tmp_path / "out").iterdir())) == 5


@pytest.mark.parametrize("out", ["photos", "photos/drawn", "."], ids=["the inputs' folder", "below it", "above it"])
def test_an_output_folder_among_the_inputs_is_refused(tmp_path, out):
    picture(tmp_path / "photos" / "a.jpg")
    with pytest.raises(DataError, match="lie in each other; choose a folder beside it"):
        find_inputs([tmp_path / "photos"], tmp_path / out)


def test_the_threshold_is_the_wanted_one_else_the_exported_one_else_the_default(tmp_path):
    assert score_threshold(0.9, tmp_path) == (0.9, "")
    default, line = score_threshold(None, tmp_path)
    assert default == 0.3
    assert "thresholds.json is missing" in line
    chosen = Thresholds(score=0.42, chosen_by="F1", best_score=0.42, per_class={"cat": None}, images=7)
    write_thresholds(chosen, tmp_path / "thresholds.json")
    exported, line = score_threshold(None, tmp_path)
    assert exported == 0.42
    assert "a score of 0.42 on are kept, as in" in line


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"score": 2, "per_class": {}, "images": 1}', "[" * 100_000, b"\xff".decode("latin1")]
)
def test_broken_thresholds_are_named(tmp_path, content):
    (tmp_path / "thresholds.json").write_text(content, encoding="latin1")
    with pytest.raises(FormatError, match=r"thresholds\.json: not what the export stage writes"):
        score_threshold(None, tmp_path)


def test_a_gif_shows_every_picture_in_the_size_of_the_first(tmp_path):
    sizes = [(600, 400), (300, 400), (600, 400)]
    paths = [picture(tmp_path / f"{i}.png", size=size) for i, size in enumerate(sizes)]
    outcome = predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 2, write=["gif"])
    assert outcome.written == ["detections.gif of 3 pictures"]
    with Image.open(tmp_path / "out" / "detections.gif") as gif:
        assert sum(1 for _ in ImageSequence.Iterator(gif)) == 3
        gif.seek(0)
        assert (gif.size, gif.info["duration"], gif.info["loop"]) == ((480, 320), 200, 0)
