"""What the heads of a TFLite file compute beside those of the network it was made of, before any NMS."""

import numpy as np
import pytest
import tensorflow as tf

from tasks.evaluation.preprocess import model_input, scaled
from tasks.exporting.interpreter import every_tensor
from tasks.exporting.saved_model import save_function
from tasks.exporting.tflite import FORMS, Converter
from tasks.exporting.tflite_graph import tflite_graph
from tasks.exporting.tflite_tensors import read_content
from tests.detector.toy_network import ON_PIXELS
from tests.exporting.listed import Listed
from tests.exporting.toy_export import varied_config, varied_network


def picture(seed):
    """Noise with more red than green, and more green than blue, so that swapped channels show."""
    noise = np.random.default_rng(seed).integers(0, 256, (90, 120, 3))
    return (noise * [1.0, 0.6, 0.2]).astype(np.uint8)


@pytest.fixture(scope="module", params=["pixels in -1..1", "pixels without means"])
def network_and_graph(request, tmp_path_factory):
    """A network whose backbone takes pixels as those of MobileNets or of ResNets do, and its detection graph."""
    config = varied_config()
    if request.param == "pixels without means":
        config.model.ssd.feature_extractor.type = ON_PIXELS
    network = varied_network(config)
    folder = tmp_path_factory.mktemp("graph")
    save_function(network, tflite_graph(network, config, max_detections=100), folder)
    return network, folder


def heads_of(model, image):
    """The box encodings and the scores that the detection operation takes, `(1, N, 4)` and `(1, N, 4)`."""
    (graph,) = read_content(model).subgraphs
    detection = next(each for each in graph.operators if set(each.outputs) <= set(graph.outputs))
    boxes, scores = (int(i) for i in detection.inputs[:2])
    (values,) = every_tensor(model, [boxes, scores], [image])
    return values[boxes], values[scores]


def heads_of_network(network, image):
    """The same from the OD API's network, on the photo as the SavedModel scales it."""
    forward = tf.function(lambda images: network.forward(images, training=False), autograph=False)
    raw = forward(scaled(image, network.resizer))
    return raw["box_encodings"].numpy(), tf.sigmoid(raw["class_predictions_with_background"]).numpy()


def test_float32_takes_the_photo_as_the_network_does(network_and_graph):
    network, graph = network_and_graph
    found = heads_of(Converter(graph).convert("float32"), model_input(picture(1), network.resizer))
    for ours, theirs in zip(found, heads_of_network(network, picture(1)), strict=True):
        assert theirs.std() > 0.05
        np.testing.assert_allclose(ours, theirs.reshape(ours.shape), rtol=0, atol=1e-4)


def test_int8_takes_the_photo_as_the_network_does(network_and_graph):
    network, graph = network_and_graph
    images = Listed(model_input(picture(seed), network.resizer) for seed in range(4))
    model = Converter(graph).quantize(FORMS[0], images)
    pixels = np.rint(scaled(picture(1), network.resizer)).astype(np.uint8)
    for ours, theirs in zip(heads_of(model, pixels), heads_of_network(network, picture(1)), strict=True):
        assert np.abs(ours - theirs.reshape(ours.shape)).mean() < 0.05 * theirs.std()
