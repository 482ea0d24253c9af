"""Weights of the shapes and names of face-api's SSD MobileNet V1, with random values that keep its maps alive."""

from itertools import pairwise

import numpy as np

from studies.weights.mobilenet_v1 import CHANNELS

MANIFEST, NUMBERS = "ssd_mobilenetv1_model-weights_manifest.json", "ssd_mobilenetv1_model.bin"


def face_detector(seed: int = 0) -> dict[str, np.ndarray]:
    """By name; kernels are scaled by what they add up, so that no map dies or saturates."""
    random = np.random.default_rng(seed)

    def normal(*shape: int, inputs: int, mean: float = 0.0) -> np.ndarray:
        return (random.normal(size=shape) * np.sqrt(2 / inputs) + mean).astype(np.float32)

    weights = {
        "MobilenetV1/Conv2d_0_pointwise/weights": normal(3, 3, 3, 32, inputs=27),
        "MobilenetV1/Conv2d_0_pointwise/convolution_bn_offset": normal(32, inputs=8, mean=0.5),
        # A layer of the detector that is none of the backbone's.
        "Prediction/Conv2d_0_pointwise/weights": normal(1, 1, 1024, 256, inputs=1024),
    }
    for block, (inputs, outputs) in enumerate(pairwise(CHANNELS), start=1):
        depthwise, pointwise = (f"MobilenetV1/Conv2d_{block}_{kind}" for kind in ("depthwise", "pointwise"))
        weights |= {
            f"{depthwise}/depthwise_weights": normal(3, 3, inputs, 1, inputs=9),
            f"{depthwise}/BatchNorm/gamma": random.uniform(0.5, 1.5, inputs).astype(np.float32),
            f"{depthwise}/BatchNorm/beta": normal(inputs, inputs=8, mean=0.5),
            f"{depthwise}/BatchNorm/moving_mean": normal(inputs, inputs=8),
            f"{depthwise}/BatchNorm/moving_variance": random.uniform(0.5, 1.5, inputs).astype(np.float32),
            f"{pointwise}/weights": normal(1, 1, inputs, outputs, inputs=inputs),
            f"{pointwise}/convolution_bn_offset": normal(outputs, inputs=8, mean=0.5),
        }
    return weights
