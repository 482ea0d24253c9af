"""Equalised channels: what the network computes stays, on other images than those the ranges were measured on, too.

ReLU6 cuts at 6 whatever a channel is multiplied by. So the networks are equal as long as no channel that was multiplied
is cut: a channel that was cut before is left as it is, and the others have some room.
"""

import numpy as np
import pytest

from tasks.evaluation.preprocess import model_input
from tasks.exporting.equalise import equalise
from tasks.exporting.interpreter import every_tensor
from tasks.exporting.tflite_layers import Layers
from tasks.exporting.tflite_tensors import read_content
from tasks.exporting.variants import export_float32
from tasks.model.resizer import Resizer
from tests.exporting.toy_export import varied_config, varied_network

SIDE_PX = 64


class Model:
    """A TFLite file, by the values between its layers."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        read = read_content(content)
        groups = Layers(read).free_channels()
        self._channels = sorted({tensor for group in groups for tensor in group.tensors})
        # The detection operation comes last; it takes boxes and scores.
        self._results = [int(tensor) for tensor in read.subgraphs[0].operators[-1].inputs[:2]]

    def run(self, images):
        """What the channels reach, `(C,)`, and boxes and scores of each image."""
        found = list(every_tensor(self.content, [*self._channels, *self._results], images))
        reach = [[values[i].max(axis=(0, 1, 2)) for i in self._channels] for values in found]
        results = [np.concatenate([values[i].ravel() for i in self._results]) for values in found]
        return np.concatenate(np.max(reach, axis=0)), np.array(results)


def picture(pixels):
    return model_input(pixels.astype(np.uint8), Resizer(width=SIDE_PX, height=SIDE_PX))


def noise(seed, low=0, high=256):
    return picture(np.random.default_rng(seed).integers(low, high, (SIDE_PX, SIDE_PX, 3)))


def blocks(seed):
    """Areas of one colour, which noise does not have."""
    return picture(np.kron(np.random.default_rng(seed).integers(0, 256, (8, 8, 3)), np.ones((8, 8, 1))))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network in which ReLU6 cuts half of the first layer's channels in every picture of noise."""
    config = varied_config()
    network = varied_network(config)
    (gamma,) = (each for each in network.variables.values() if "bn_Conv1/gamma" in each.name)
    gamma.assign(gamma * np.array([6.0, 1.0] * 4, np.float32))
    file = tmp_path_factory.mktemp("model") / "model.tflite"
    export_float32(network, config, file, max_detections=100)
    return Model(file.read_bytes())


def test_other_images_than_those_measured_give_the_same_where_relu6_cuts_as_well(model):
    measured = [noise(seed) for seed in range(4)]
    even = Model(equalise(model.content, measured))
    others = [*(noise(seed) for seed in range(100, 104)), *(noise(seed, 120, 256) for seed in range(4)), blocks(0)]
    known, _ = model.run(measured)
    before, expected = model.run(others)
    after, results = even.run(others)
    is_multiplied = after / before > 1.01
    # The case is the one that the name says: some channels are cut, others are multiplied and reach farther than known.
    assert (before == 6).any()
    assert (before > known)[is_multiplied].any()
    assert not is_multiplied[before == 6].any()
    assert (after[is_multiplied] < 6).all()
    np.testing.assert_allclose(results, expected, atol=1e-5)


def test_a_channel_that_reaches_beyond_its_room_is_cut(model):
    even = Model(equalise(model.content, [noise(seed, 120, 136) for seed in range(4)]))
    before, expected = model.run([noise(100)])
    after, results = even.run([noise(100)])
    assert ((after == 6) & (before < 6)).any()
    assert np.abs(results - expected).max() > 1e-3
