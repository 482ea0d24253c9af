"""The scenes that the base learns from: boxes fit what is seen, and a scene is a function of its number."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studies.base.draw import ANNOTATIONS, IMAGES, draw
from studies.base.library import Finding, Library
from studies.base.params import ScenesParams, read_scenes_params
from studies.base.scenes.backgrounds import draw_backdrop
from studies.base.scenes.compose import MIN_VISIBLE, Canvas, Scene, _claim_box, _corners, claim, draw_scene, find_corner
from studies.base.scenes.layout import LARGEST, MOST, SMALLEST, Wish, plan
from studies.base.scenes.sprite import Light, Sprite, draw_sprite
from studies.base.sheet import write_sheet
from tasks.dataset.coco_json import read_coco
from tasks.errors import ParamsError, PipelineError
from tests.studies.base_materials import LABELS, thing, write_library

LIGHT = Light((-0.5, -0.5), 0.5, np.ones(3, np.float32), np.ones((64, 64), np.float32))
PARAMS = ScenesParams(seed=3, count=5, side_px=128, photo_share=0.6, workers=1)


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_library(tmp_path_factory.mktemp("materials"))


@pytest.fixture(scope="module")
def library(materials: Path) -> Library:
    return Library(materials)


def scene(library: Library, number: int, *, seed: int = 3, side: int = 128) -> Scene:
    return draw_scene(library, seed, number, side=side, photo_share=0.6)


def test_a_scene_is_the_same_alone_and_among_others_by_any_number_of_workers(
    materials: Path, library: Library, tmp_path: Path
) -> None:
    draw(PARAMS, materials=materials, scenes=tmp_path / "one")
    draw(PARAMS.model_copy(update={"count": 20, "workers": 2}), materials=materials, scenes=tmp_path / "two")
    few, many = (read_coco(tmp_path / name / ANNOTATIONS) for name in ("one", "two"))
    assert (len(few.images), len(many.images)) == (5, 20)
    assert set(few.classes) == set(LABELS)
    for number, (image, same) in enumerate(zip(few.images, many.images, strict=False)):
        content = [(tmp_path / name / IMAGES / image.file_name).read_bytes() for name in ("one", "two")]
        alone = scene(library, number)
        assert content == [alone.jpeg, alone.jpeg]
        assert image.classes == same.classes == tuple(alone.labels)
        assert image.boxes.tolist() == same.boxes.tolist() == [list(map(float, box)) for box in alone.boxes]


def test_scenes_of_a_killed_run_are_used_by_the_next(
    materials: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError("no space left")

    scenes = tmp_path / "scenes"
    with monkeypatch.context() as patch:
        patch.setattr("studies.base.draw.write_coco", full_disk)
        with pytest.raises(OSError, match="no space"):
            draw(PARAMS, materials=materials, scenes=scenes)
    drawn = sorted((tmp_path / "scenes.partial").rglob("scene_*.jpg"))
    assert len(drawn) == PARAMS.count
    drawn[0].write_bytes(b"of the first run")
    draw(PARAMS, materials=materials, scenes=scenes)
    assert (scenes / IMAGES / drawn[0].name).read_bytes() == b"of the first run"
    assert not list((tmp_path / "scenes.partial").rglob("scene_*"))


def test_another_seed_or_number_is_another_scene(library: Library) -> None:
    assert len({scene(library, 0).jpeg, scene(library, 1).jpeg, scene(library, 0, seed=4).jpeg}) == 3


def test_boxes_lie_inside_the_image_and_each_thing_has_one(library: Library) -> None:
    scenes = [scene(library, number) for number in range(40)]
    boxes = np.array([box for drawn in scenes for box in drawn.boxes])
    assert boxes[:, :2].min() >= 0
    assert boxes.max() <= 128
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert all(len(drawn.boxes) == len(drawn.labels) <= MOST for drawn in scenes)
    assert {name for drawn in scenes for name in drawn.labels} == set(LABELS)


def test_a_scene_is_a_jpeg_of_the_size_asked_for(library: Library) -> None:
    with Image.open(io.BytesIO(scene(library, 0, side=192).jpeg)) as photo:
        assert (photo.format, photo.mode, photo.size) == ("JPEG", "RGB", (192, 192))


def canvas(side: int = 100) -> Canvas:
    return Canvas(Image.new("RGB", (side, side)), np.zeros((side, side), np.int32), [], [], [])


def square(side: int) -> Sprite:
    return Sprite(Image.new("RGBA", (side, side), (255, 0, 0, 255)), np.ones((side, side), dtype=bool))


@pytest.mark.parametrize(
    ("corner", "box"),
    [((20, 30), (20, 30, 30, 40)), ((-4, 95), (0, 95, 6, 100)), ((93, -3), (93, 0, 100, 7))],
    ids=["inside", "cut left and below", "cut right and above"],
)
def test_a_box_is_tight_around_the_visible_pixels_of_a_thing(corner, box) -> None:
    picture = canvas()
    claim(picture, square(10), corner, "ball")
    rows, columns = (np.flatnonzero((picture.owner == 1).any(axis=axis)) for axis in (1, 0))
    assert _corners((slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))) == box


def test_a_hidden_side_of_a_thing_is_not_in_its_box() -> None:
    picture = canvas()
    claim(picture, square(20), (10, 10), "ball")
    claim(picture, square(20), (20, 10), None)
    assert picture.seen == [200]
    assert np.flatnonzero((picture.owner == 1).any(axis=0)).tolist() == list(range(10, 20))


@pytest.mark.parametrize("seed", range(5))
def test_enough_of_every_thing_stays_visible(seed: int) -> None:
    picture, rng = canvas(), np.random.default_rng(seed)
    for number in range(60):
        corner = find_corner(picture, square(30), Wish(0, 0.3, 0.0), rng)
        if corner is not None:
            claim(picture, square(30), corner, "ball" if number % 3 else None)
    seen = np.bincount(picture.owner.ravel(), minlength=len(picture.labels) + 1)[1:]
    assert len(seen) > 3
    assert seen.tolist() == picture.seen
    assert seen.min() >= MIN_VISIBLE * 900


@pytest.mark.parametrize("length", [SMALLEST * 320, 40, LARGEST * 320])
@pytest.mark.parametrize("tilt", [9.0, 180.0])
def test_a_things_longer_side_is_as_long_as_asked_for(tilt: float, length: float) -> None:
    for seed in range(6):
        sprite = draw_sprite(
            thing("ball"), np.random.default_rng(seed), length, tilt=tilt, light=LIGHT, blur=length * 0.02
        )
        longest = max(np.ptp(np.flatnonzero(sprite.solid.any(axis=axis))) + 1 for axis in (0, 1))
        # The disc does not reach the corners of its picture, which set the length.
        assert 0.6 * length - 2 <= longest <= length + 3


def test_the_sizes_of_things_span_the_promised_range(library: Library) -> None:
    rng = np.random.default_rng(1)
    layouts = [plan(rng, library, 0.4) for _ in range(1500)]
    sizes = np.array([wish.size for layout in layouts for wish in layout.wishes if wish.number is not None])
    numbers = [sum(wish.number is not None for wish in layout.wishes) for layout in layouts]
    assert sizes.min() == pytest.approx(SMALLEST, rel=0.2)
    assert sizes.max() == pytest.approx(LARGEST, rel=0.05)
    assert (np.histogram(sizes, [0.02, 0.05, 0.1, 0.2, 0.4, 0.91])[0] / len(sizes)).min() > 0.03
    assert (min(numbers), max(numbers)) == (1, MOST)
    assert {layout.name for layout in layouts} == {"free", "swarm", "rows", "floor", "alone"}


def test_what_a_detector_found_in_a_photograph_is_labelled_where_enough_of_it_is_in_the_crop(tmp_path: Path) -> None:
    found = {
        name: [Finding(label="car", box=(100, 80, 200, 160), score=0.9)] for name in ("photo-0.jpg", "photo-1.jpg")
    }
    library = Library(write_library(tmp_path / "found", findings=found))
    seen = [draw_backdrop(library, np.random.default_rng(seed), 128, photo_share=1.0).found for seed in range(60)]
    boxes = np.array([box for things in seen for label, box in things if label == "car"])
    assert 10 < len(boxes) < 60
    assert boxes.min() >= 0
    assert boxes.max() <= 128
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    scenes = [draw_scene(library, 1, number, side=128, photo_share=1.0) for number in range(30)]
    assert {label for drawn in scenes for label in drawn.labels} == {*LABELS, "car"}


def test_a_found_thing_that_others_hide_has_no_box() -> None:
    picture = canvas()
    _claim_box(picture, "person", (10, 10, 30, 30))
    _claim_box(picture, "car", (5, 5, 60, 60))
    assert picture.labels == ["car"]
    assert set(np.unique(picture.owner)) == {0, 1}
    assert picture.seen == [55 * 55]


def test_without_materials_drawing_names_the_stage_that_makes_them(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="materials"):
        draw(PARAMS, materials=tmp_path / "nothing", scenes=tmp_path / "scenes")


def test_a_missing_picture_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    library = Library(write_library(tmp_path / "gone"))
    (tmp_path / "gone" / "pictures" / "ball.png").unlink()
    with pytest.raises(PipelineError, match="missing or damaged; run"):
        library.cut_out(0)


def test_a_sheet_shows_scenes_side_by_side(materials: Path, tmp_path: Path) -> None:
    write_sheet(PARAMS, 0, materials=materials, out=tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (6 * 128, 4 * 128)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scenes: {seed: 1}", "scenes.count: Field required"),
        ("other: 1", "section `scenes`"),
        ("scenes: [", "section `scenes`"),
    ],
)
def test_a_faulty_scenes_yaml_is_an_error(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "scenes.yaml").write_text(text)
    with pytest.raises(ParamsError, match=message):
        read_scenes_params(tmp_path / "scenes.yaml")
