"""A run: what goes on side by side, what is in memory, and how it ends when something fails."""

import gc
import threading
import traceback

import numpy as np
import pytest

from tasks.dataset.boxes import as_boxes
from tasks.dataset.detections import Detections
from tasks.errors import StoppedError
from tasks.prediction.inputs import Picture
from tasks.prediction.run import predict_pictures
from tests.prediction.finding import WhiteFinder, listed, picture, predict_images

DEADLOCK_S = 60


class Writer:
    """Takes predictions and does nothing with them."""

    draws = encodes = True

    def __init__(self):
        self.names = []

    def add(self, prediction):
        self.names.append(prediction.picture.name)

    def close(self, unreadable):
        return "nothing"


def pictures(folder, count):
    return [picture(folder / f"{i:02}.png") for i in range(count)]


def test_the_next_batch_is_detected_while_one_is_written(tmp_path):
    second = threading.Event()

    class Finder(WhiteFinder):
        def detect(self, images):
            if self.batches:
                second.set()
            return super().detect(images)

    class Waiting(Writer):
        def add(self, prediction):
            assert second.wait(DEADLOCK_S)
            super().add(prediction)

    waiting = Waiting()
    paths = pictures(tmp_path, 6)
    outcome = predict_pictures(paths, Finder(), [waiting], 0.3, batch_size=2)
    assert waiting.names == [str(path) for path in paths]
    assert (outcome.pictures, outcome.boxes, outcome.written) == (6, 6, ["nothing"])


def test_at_most_four_batches_are_in_memory(tmp_path):
    living = []

    class Counting(Writer):
        def add(self, prediction):
            living.append(sum(isinstance(each, Picture) for each in gc.get_objects()))

    predict_pictures(pictures(tmp_path, 40), WhiteFinder(), [Counting()], 0.3, batch_size=3)
    assert max(living) <= 4 * 3


def test_a_large_picture_that_is_drawn_for_long_keeps_its_place(tmp_path):
    paths = [picture(tmp_path / f"{i}.png", size=(size, size)) for i, size in enumerate((3000, 60, 60, 60))]
    predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 4)
    assert [image["file_name"] for image in listed(tmp_path / "out")["images"]] == [str(path) for path in paths]


class Failing(WhiteFinder):
    """Fails in the second batch."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def detect(self, images):
        if self.batches:
            raise self.error
        return super().detect(images)


class Misplacing(WhiteFinder):
    """Finds boxes that cannot be drawn."""

    def _one(self, image):
        return Detections(as_boxes([[np.nan] * 4]), ("white",), np.array([0.9]))


class Full(Writer):
    """Writes to a full disk."""

    def add(self, prediction):
        raise OSError("no space left")


def test_ctrl_c_says_how_many_are_done_once_all_that_was_detected_is_written(tmp_path):
    drawn = threading.Event()

    class Slow(Writer):
        def add(self, prediction):
            drawn.wait(0.05)
            super().add(prediction)

    slow = Slow()
    with pytest.raises(StoppedError, match="stopped; 2 images done; run it again: it starts with the first image"):
        predict_pictures(pictures(tmp_path, 12), Failing(KeyboardInterrupt()), [slow], 0.3, batch_size=2)
    assert len(slow.names) == 2


@pytest.mark.parametrize(
    ("detector", "writer", "error", "place"),
    [
        (Failing(RuntimeError("worse")), Writer(), RuntimeError, "in detect"),
        (Failing(KeyboardInterrupt()), Writer(), KeyboardInterrupt, "in detect"),
        (Misplacing(), Writer(), ValueError, "in draw_detections"),
        (WhiteFinder(), Full(), OSError, "in add"),
    ],
    ids=["detecting", "Ctrl-C", "drawing", "writing"],
)
def test_an_error_ends_the_run_and_all_its_threads_and_names_its_place(tmp_path, detector, writer, error, place):
    before = set(threading.enumerate())
    with pytest.raises(error) as caught:
        predict_pictures(pictures(tmp_path, 12), detector, [writer], 0.3, batch_size=2)
    assert place in "".join(traceback.format_exception(caught.value))
    assert set(threading.enumerate()) == before
    # What was added before the error is written or dropped, and nothing after it is begun.
    assert len(writer.names) <= 4
