"""The int8 file: which form is taken, and which training images its ranges are measured on."""

import pytest

from tasks.dataset.dataset import Dataset
from tasks.errors import DataError
from tasks.evaluation.preprocess import model_input
from tasks.exporting.int8 import calibration_choice, quantise
from tasks.exporting.tflite import FORMS, Form
from tasks.metrics.differences import Difference
from tests.exporting.photos import CLASSES, photos


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
        (64, 64),
        prepare=model_input,
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
            Quantizer().quantize, Dataset(tmp_path, CLASSES, ()), (64, 64),
            prepare=model_input, calibration_images=2, is_too_much=is_too_much, difference_of=losses(0.0),
        )  # fmt: skip


def test_the_same_images_are_drawn_for_the_same_data(tmp_path):
    data = photos(tmp_path, 8)
    chosen = [image.file_name for image in calibration_choice(data, 3)]
    assert chosen == [image.file_name for image in calibration_choice(data, 3)]
    assert len(set(chosen)) == 3
    assert len(calibration_choice(data, 99)) == 8
