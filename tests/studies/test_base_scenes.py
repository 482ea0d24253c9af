"""The scenes that the base learns from: every kind can be drawn, boxes fit, and a scene is a function of its number."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studies.base.draw import ANNOTATIONS, IMAGES, draw
from studies.base.params import ScenesParams, read_scenes_params
from studies.base.scenes.compose import MIN_VISIBLE, _Canvas, _claim, _corners, _find_corner, draw_scene
from studies.base.scenes.kinds import FAMILIES, clutter, kind
from studies.base.scenes.layout import LARGEST, MOST, SMALLEST, Wish, plan
from studies.base.scenes.sprite import LONGEST_TO_SHORTEST, SHORTEST_PX, Light, Sprite, draw_sprite
from studies.base.scenes.tiles import COUNT, tile
from tasks.dataset.coco_json import read_coco
from tasks.errors import ParamsError

ROOT = Path(__file__).parents[2]
LIGHT = Light(np.array([-0.5, -0.5, 0.7], np.float32), 0.4, np.ones(3, np.float32))
PARAMS = ScenesParams(seed=3, count=5, side_px=128, kinds_per_family=2, classes="families", workers=1)


def scene(number: int, *, side: int = 128):
    return draw_scene(3, number, side=side, kinds_per_family=2)


def sprite(name: str, number: int, length: float, seed: int = 0) -> Sprite:
    return draw_sprite(kind(name, number), np.random.default_rng(seed), length, LIGHT)


def extents(drawn: Sprite) -> tuple[int, int]:
    return int(drawn.solid.any(axis=0).sum()), int(drawn.solid.any(axis=1).sum())


def test_a_scene_is_the_same_alone_and_among_others_by_any_number_of_workers(tmp_path: Path) -> None:
    draw(PARAMS, scenes=tmp_path / "one")
    draw(PARAMS.model_copy(update={"count": 20, "workers": 2}), scenes=tmp_path / "two")
    few, many = (read_coco(tmp_path / name / ANNOTATIONS) for name in ("one", "two"))
    assert (len(few.images), len(many.images)) == (5, 20)
    for number, (image, same) in enumerate(zip(few.images, many.images, strict=False)):
        content = [(tmp_path / name / IMAGES / image.file_name).read_bytes() for name in ("one", "two")]
        alone = scene(number)
        assert content == [alone.jpeg, alone.jpeg]
        assert image.classes == same.classes == tuple(family for family, _ in alone.things)
        assert image.boxes.tolist() == same.boxes.tolist() == [list(map(float, box)) for box in alone.boxes]


def test_another_seed_or_number_is_another_scene() -> None:
    assert len({scene(0).jpeg, scene(1).jpeg, draw_scene(4, 0, side=128, kinds_per_family=2).jpeg}) == 3


def test_boxes_lie_inside_the_image_and_each_thing_has_one() -> None:
    scenes = [scene(number) for number in range(40)]
    boxes = np.array([box for drawn in scenes for box in drawn.boxes])
    assert boxes[:, :2].min() >= 0
    assert boxes.max() <= 128
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert all(len(drawn.boxes) == len(drawn.things) <= MOST for drawn in scenes)
    assert {name for drawn in scenes for name, _ in drawn.things} <= set(FAMILIES)


def test_a_scene_is_a_jpeg_of_the_size_asked_for() -> None:
    with Image.open(io.BytesIO(scene(0, side=192).jpeg)) as photo:
        assert (photo.format, photo.mode, photo.size) == ("JPEG", "RGB", (192, 192))


def canvas(side: int = 100) -> _Canvas:
    return _Canvas(Image.new("RGB", (side, side)), np.zeros((side, side), np.int32), LIGHT, [], [], [])


def square(side: int) -> Sprite:
    return Sprite(Image.new("RGBA", (side, side), (255, 0, 0, 255)), np.ones((side, side), dtype=bool))


@pytest.mark.parametrize(
    ("corner", "box"),
    [((20, 30), (20, 30, 30, 40)), ((-4, 95), (0, 95, 6, 100)), ((93, -3), (93, 0, 100, 7))],
    ids=["inside", "cut left and below", "cut right and above"],
)
def test_a_box_is_tight_around_the_visible_pixels_of_a_thing(corner, box) -> None:
    picture = canvas()
    _claim(picture, square(10), corner, Wish("mug", 0, 0.1))
    rows, columns = (np.flatnonzero((picture.owner == 1).any(axis=axis)) for axis in (1, 0))
    assert _corners((slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))) == box


def test_a_hidden_side_of_a_thing_is_not_in_its_box() -> None:
    picture = canvas()
    _claim(picture, square(20), (10, 10), Wish("mug", 0, 0.2))
    _claim(picture, square(20), (20, 10), Wish(None, 0, 0.2))
    assert picture.seen == [200]
    assert np.flatnonzero((picture.owner == 1).any(axis=0)).tolist() == list(range(10, 20))


@pytest.mark.parametrize("seed", range(5))
def test_enough_of_every_thing_stays_visible(seed: int) -> None:
    picture, rng = canvas(), np.random.default_rng(seed)
    for number in range(60):
        wish = Wish("mug" if number % 3 else None, 0, 0.3)
        corner = _find_corner(picture, square(30), wish, rng)
        if corner is not None:
            _claim(picture, square(30), corner, wish)
    seen = np.bincount(picture.owner.ravel(), minlength=len(picture.things) + 1)[1:]
    assert len(seen) > 3
    assert seen.tolist() == picture.seen
    assert seen.min() >= MIN_VISIBLE * 900


def test_the_sizes_of_things_span_the_promised_range() -> None:
    rng = np.random.default_rng(1)
    layouts = [plan(rng, 6) for _ in range(1500)]
    sizes = np.array([wish.size for layout in layouts for wish in layout.wishes if wish.family])
    numbers = [sum(wish.family is not None for wish in layout.wishes) for layout in layouts]
    assert sizes.min() == pytest.approx(SMALLEST, rel=0.2)
    assert sizes.max() == pytest.approx(LARGEST, rel=0.05)
    shares = np.histogram(sizes, [0.02, 0.05, 0.1, 0.2, 0.4, 0.91])[0] / len(sizes)
    assert shares.min() > 0.04
    assert min(numbers) == 1
    assert max(numbers) == MOST
    assert {layout.name for layout in layouts} == {"free", "swarm", "rows", "floor", "alone"}


@pytest.mark.parametrize("length", [SMALLEST * 320, 40, LARGEST * 320])
@pytest.mark.parametrize("name", ["rod", "person", "ring", "quadruped"])
def test_a_thing_has_the_requested_length_and_at_least_a_quarter_of_it_as_width(name: str, length: float) -> None:
    for seed in range(4):
        drawn = sprite(name, 1, length, seed)
        height, width = drawn.solid.shape
        assert max(height, width) == pytest.approx(length + 2, abs=1.01)
        assert min(height, width) - 2 >= min(max(length / LONGEST_TO_SHORTEST, SHORTEST_PX), length) - 1e-6


@pytest.mark.parametrize("name", FAMILIES)
def test_every_kind_of_a_family_can_be_drawn_and_differs_from_the_others(name: str) -> None:
    pictures = set()
    for number in range(6):
        drawn = sprite(name, number, 48)
        assert drawn.solid.mean() > 0.03
        assert max(extents(drawn)) > 30
        assert extents(sprite(name, number, 7)) >= (1, 1)
        pictures.add(drawn.image.tobytes())
    assert len(pictures) == 6


def test_there_are_hundreds_of_kinds() -> None:
    assert len(FAMILIES) * read_scenes_params(ROOT / "studies/base/scenes.yaml").kinds_per_family > 400


def test_a_kind_looks_the_same_each_time_it_is_made() -> None:
    first = sprite("helmet", 4, 60).image.tobytes()
    kind.cache_clear()
    assert sprite("helmet", 4, 60).image.tobytes() == first


def test_clutter_is_different_every_time() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_sprite(clutter(rng), rng, 40, LIGHT) for _ in range(30)]
    assert len({thing.image.tobytes() for thing in drawn}) == 30


def test_textures_are_fields_from_0_to_1_at_every_size() -> None:
    for number in range(COUNT):
        levels = tile(number)
        assert [level.shape[0] for level in levels] == [256, 128, 64, 32, 16, 8]
        assert 0 <= min(level.min() for level in levels) <= max(level.max() for level in levels) <= 1
        assert levels[0].std() > 0.05


@pytest.mark.parametrize(
    ("classes", "names"), [("object", {"object"}), ("kinds", {f"{f}_{n}" for f in FAMILIES for n in (0, 1)})]
)
def test_boxes_have_the_class_names_of_scenes_yaml(classes, names, tmp_path: Path) -> None:
    draw(PARAMS.model_copy(update={"classes": classes, "count": 2}), scenes=tmp_path / "scenes")
    dataset = read_coco(tmp_path / "scenes" / ANNOTATIONS)
    assert set(dataset.classes) == names
    assert {name for image in dataset.images for name in image.classes} <= names


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
