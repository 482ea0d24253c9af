"""The int8 file: which form is taken, and which training images its ranges are measured on."""

import numpy as np
import pytest

from tasks.dataset.dataset import Dataset
from tasks.errors import DataError, FormatError
from tasks.exporting import int8
from tasks.exporting.int8 import Inputs, calibration_choice, quantise
from tasks.exporting.interpreter import Floats
from tasks.exporting.tflite import FORMS, Form
from tasks.images.image_file import read_rgb
from tasks.metrics.differences import Difference
from tests.exporting.photos import CLASSES, photos
from tests.exporting.toy_export import PREPARE


class Quantizer:
    """Gives the form's name in place of a file."""

    def __init__(self):
        self.images = []

    def quantize(self, form: Form, images):
        self.images.append(len(images))
        return form.name.encode()


def losses(*values):
    """For each form that is tried, what it loses."""
    left = list(values)
    return lambda content: Difference("mAP", 0.5, 0.5 - left.pop(0), None)


def is_too_much(difference: Difference) -> bool:
    assert difference.loss is not None
    return difference.loss > 0.02


def try_forms(tmp_path, *values, count=6, calibration_images=2):
    quantizer = Quantizer()
    made = quantise(
        quantizer.quantize,
        photos(tmp_path, count),
        prepare=PREPARE,
        calibration_images=calibration_images,
        is_too_much=is_too_much,
        difference_of=losses(*values),
    )
    return made, quantizer.images


def test_the_first_form_that_holds_is_taken(tmp_path):
    made, images = try_forms(tmp_path, 0.01)
    assert (made.form, made.images, images) == (FORMS[0], 2, [2])


def test_forms_are_tried_in_their_order_until_one_holds(tmp_path, capsys):
    made, images = try_forms(tmp_path, 0.05, 0.04, 0.03, 0.0)
    assert (made.form, made.images) == (FORMS[3], 2)
    assert images == [2, 2, 6, 2]
    written = capsys.readouterr().out
    assert "full integer, weights by channel: loses 0.050 mAP on the val split; surely too much" in written
    assert "16-bit activations, 8-bit weights: loses no mAP on the val split; taken" in written


def test_a_gain_is_called_one(tmp_path, capsys):
    try_forms(tmp_path, -0.01)
    assert "gains 0.010 mAP on the val split; taken" in capsys.readouterr().out


def test_where_none_holds_the_one_that_loses_least_is_taken(tmp_path, capsys):
    made, _ = try_forms(tmp_path, 0.05, 0.03, 0.04, 0.06)
    assert made.form == FORMS[1]
    assert "every form surely loses too much; full integer but for the last layers" in capsys.readouterr().out
    made, images = try_forms(tmp_path, 0.05, 0.03, 0.04, count=2)
    assert (made.form, images) == (FORMS[1], [2, 2, 2])


def test_without_training_images_int8_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match=r"the train split holds none: annotate images, or leave int8 out"):
        quantise(
            Quantizer().quantize, Dataset(tmp_path, CLASSES, ()),
            prepare=PREPARE, calibration_images=2, is_too_much=is_too_much, difference_of=losses(0.0),
        )  # fmt: skip


def test_the_same_images_are_drawn_for_the_same_data(tmp_path):
    data = photos(tmp_path, 8)
    chosen = [image.file_name for image in calibration_choice(data, 3)]
    assert chosen == [image.file_name for image in calibration_choice(data, 3)]
    assert len(set(chosen)) == 3
    assert len(calibration_choice(data, 99)) == 8


def test_photos_are_read_once_for_several_passes(tmp_path):
    data = photos(tmp_path, 3)
    inputs = Inputs(data, data.images, PREPARE)
    first = list(inputs)
    for image in data.images:
        data.image_path(image).unlink()
    np.testing.assert_array_equal(list(inputs), first)
    np.testing.assert_array_equal(list(inputs.first(2)), first[:2])


def test_photos_that_do_not_fit_in_memory_are_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(int8, "_KEPT_BYTES", 64 * 64 * 3 * 4)
    data = photos(tmp_path, 2)
    inputs = Inputs(data, data.images, PREPARE)
    first = list(inputs)
    np.testing.assert_array_equal(list(inputs), first)
    data.image_path(data.images[0]).unlink()
    np.testing.assert_array_equal(list(inputs), first)
    data.image_path(data.images[1]).unlink()
    with pytest.raises(FormatError, match="no such file"):
        list(inputs)


def test_only_the_first_photo_has_all_pixels_whatever_is_kept(tmp_path):
    data = photos(tmp_path, 2)
    kept: dict[str, Floats] = {}
    one, other = Inputs(data, data.images, PREPARE, kept), data.images[::-1]
    plain = [PREPARE(read_rgb(data.image_path(image))) for image in data.images]
    list(one)
    last, first = Inputs(data, other, PREPARE, kept)
    assert last[0, 0, :2, 0].tolist() == [-1.0, 1.0]
    np.testing.assert_array_equal(first, plain[0])
