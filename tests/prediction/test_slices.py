"""Large photos in tiles: which tiles there are, and what is left of the boxes found in them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.dataset.boxes import as_boxes
from tasks.dataset.detections import Detections
from tasks.prediction.slices import Slicing, SlicingDetector, Tile, merge
from tests.prediction.finding import WhiteFinder, listed, predict_images, video


class NearFinder(WhiteFinder):
    """Misses white that is narrower than a tenth of the image, as a detector does that scales images down."""

    def _one(self, image):
        found = super()._one(image)
        wide = (found.boxes[:, 2] - found.boxes[:, 0]) * 10 >= image.shape[1]
        return found if wide.all() else Detections(as_boxes([]), (), np.zeros(0))


def sliced(detector, *, side=100, overlap=0.2, batch_size=8, score_threshold=0.3):
    return SlicingDetector(detector, Slicing(side, overlap), batch_size=batch_size, score_threshold=score_threshold)


def photo(width, height, *whites):
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    for xmin, ymin, xmax, ymax in whites:
        pixels[ymin:ymax, xmin:xmax] = 255
    return pixels


def found_by(detector, image):
    (found,) = detector.detect([image])
    return [
        (name, box, score)
        for name, box, score in zip(found.classes, found.boxes.tolist(), found.scores.tolist(), strict=True)
    ]


def merged(*boxes, scores=None, classes=None, cut=()):
    count = len(boxes)
    names = tuple(classes or ["a"] * count)
    detections = Detections(as_boxes(boxes), names, np.array(scores or [0.9] * count))
    return merge([detections], np.array([place in cut for place in range(count)]))


def test_tiles_lie_row_by_row_and_the_last_ones_are_moved_inwards():
    assert Slicing(100, 0.2).tiles(250, 150) == [
        Tile(0, 0, 100, 100), Tile(80, 0, 100, 100), Tile(150, 0, 100, 100),
        Tile(0, 50, 100, 100), Tile(80, 50, 100, 100), Tile(150, 50, 100, 100),
    ]  # fmt: skip


def test_a_photo_of_two_tiles_without_overlap_has_two():
    assert Slicing(100, 0.0).tiles(200, 100) == [Tile(0, 0, 100, 100), Tile(100, 0, 100, 100)]


def test_tiles_of_a_flat_photo_have_its_height():
    assert Slicing(100, 0.2).tiles(150, 40) == [Tile(0, 0, 100, 40), Tile(50, 0, 100, 40)]


@pytest.mark.parametrize("size", [(100, 100), (100, 40), (1, 1)])
def test_a_photo_that_is_no_larger_than_a_tile_is_not_cut(size):
    assert Slicing(100, 0.2).tiles(*size) == []


@given(
    width=st.integers(1, 900),
    height=st.integers(1, 900),
    side=st.integers(64, 400),
    overlap=st.floats(0.0, 0.8),
)
def test_tiles_cover_every_pixel_and_overlap_as_asked_or_more(width, height, side, overlap):
    tiles = Slicing(side, overlap).tiles(width, height)
    assert len(set(tiles)) == len(tiles)
    assert bool(tiles) == (max(width, height) > side)
    if not tiles:
        return
    assert {(tile.width, tile.height) for tile in tiles} == {(min(side, width), min(side, height))}
    for starts, length in ((sorted({t.x for t in tiles}), width), (sorted({t.y for t in tiles}), height)):
        assert starts[0] == 0
        assert starts[-1] + min(side, length) == length
        assert all(start + side - following >= side * overlap for start, following in pairwise(starts))
    assert len(tiles) == len({tile.x for tile in tiles}) * len({tile.y for tile in tiles})


def test_the_whole_photo_and_each_tile_are_detected_once_in_batches():
    finder = WhiteFinder()
    sliced(finder, batch_size=4).detect([photo(250, 150), photo(100, 100)])
    assert finder.batches == [[(150, 250, 3), (100, 100, 3)], [(100, 100, 3)] * 4, [(100, 100, 3)] * 2]


def test_a_batch_has_tiles_of_several_photos():
    finder = WhiteFinder()
    sliced(finder, batch_size=4).detect([photo(180, 100), photo(180, 100)])
    assert finder.batches == [[(100, 180, 3)] * 2, [(100, 100, 3)] * 4]


def test_an_object_at_the_border_of_two_tiles_is_found_once_with_its_whole_box():
    assert found_by(sliced(WhiteFinder()), photo(180, 100, (70, 20, 130, 60))) == [("white", [70, 20, 130, 60], 0.9)]


def test_a_small_object_is_found_in_a_tile():
    image = photo(400, 100, (210, 40, 225, 55))
    assert found_by(NearFinder(), image) == []
    assert found_by(sliced(NearFinder()), image) == [("white", [210, 40, 225, 55], 0.9)]


def test_a_small_object_that_one_tile_cuts_has_the_whole_box_of_its_neighbour():
    # Tiles begin at 0 and 80: the first ends within the object.
    assert found_by(sliced(NearFinder()), photo(180, 100, (86, 40, 102, 56))) == [("white", [86, 40, 102, 56], 0.9)]


def test_two_classes_at_one_place_both_stay():
    found = found_by(sliced(WhiteFinder(), score_threshold=0.0), photo(180, 100, (20, 20, 60, 60)))
    assert found == [("white", [20, 20, 60, 60], 0.9), ("nothing", [20, 20, 60, 60], 0.2)]


def test_a_photo_that_is_not_cut_keeps_all_its_detections():
    assert [score for _, _, score in found_by(sliced(WhiteFinder()), photo(100, 100, (20, 20, 60, 60)))] == [0.9, 0.2]


def test_a_doubtful_large_box_takes_no_certain_one_away():
    class Doubting(WhiteFinder):
        def _one(self, image):
            whole = Detections(as_boxes([[0, 0, image.shape[1], 100]]), ("white",), np.array([0.1]))
            return whole if image.shape[1] == 180 else super()._one(image)

    # The piece in the first tile, 70 to 100, lies mostly in that of the second.
    assert found_by(sliced(Doubting()), photo(180, 100, (70, 20, 130, 60))) == [("white", [80, 20, 130, 60], 0.9)]


def test_a_cut_box_within_a_larger_one_goes_even_with_a_higher_score():
    found = merged([0, 0, 100, 100], [0, 0, 50, 100], scores=[0.6, 0.9], cut={1})
    assert found.boxes.tolist() == [[0, 0, 100, 100]]


def test_a_whole_box_within_a_larger_one_stays():
    assert len(merged([0, 0, 100, 100], [0, 0, 50, 100]).classes) == 2


def test_a_cut_box_that_lies_mostly_elsewhere_stays():
    assert len(merged([0, 0, 100, 100], [60, 0, 150, 100], cut={1}).classes) == 2


def test_a_cut_box_within_one_of_another_class_stays():
    assert len(merged([0, 0, 100, 100], [0, 0, 50, 100], classes=["a", "b"], cut={1}).classes) == 2


@pytest.mark.parametrize(("width", "kept"), [(160, 1), (170, 2)], ids=["IoU above 0.6", "IoU below 0.6"])
def test_of_boxes_that_overlap_much_the_highest_score_stays(width, kept):
    found = merged([0, 0, 100, 100], [0, 0, width, 100], scores=[0.5, 0.8])
    assert found.scores.tolist() == [0.8, 0.5][:kept]


def test_merged_detections_have_the_highest_score_first():
    found = merged([0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10], scores=[0.4, 0.9, 0.6], classes=["a", "b", "a"])
    assert found.scores.tolist() == [0.9, 0.6, 0.4]
    assert found.classes == ("b", "a", "a")


def test_nothing_found_gives_nothing():
    assert found_by(sliced(WhiteFinder()), photo(250, 150)) == []


def test_frames_of_a_video_are_cut_too(tmp_path):
    finder = WhiteFinder()
    predict_images(
        [video(tmp_path / "clip.mp4", frames=2, size=(128, 64))], sliced(finder, side=64), tmp_path / "o", 0.3, 8
    )
    assert finder.batches == [[(64, 128, 3)] * 2, [(64, 64, 3)] * 6]
    assert len(listed(tmp_path / "o")["annotations"]) == 2
