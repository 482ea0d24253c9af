import numpy as np
import tensorflow as tf

from tasks.training.averaging import AveragedWeights


def test_the_average_follows_the_weights_closely_at_first_and_then_slowly() -> None:
    weight = tf.Variable(1.0)
    averaged = AveragedWeights([weight], [weight], 0.5)
    expected = 1.0
    for step, value in enumerate([3.0, 5.0, 2.0, 8.0, -1.0, 0.5] * 4):
        weight.assign(value)
        averaged.update()
        decay = min(0.5, (1 + step) / (10 + step))
        expected = expected * decay + value * (1 - decay)
    np.testing.assert_allclose(averaged.averages[0], expected, rtol=1e-5)


def test_after_in_place_the_weights_are_their_own_again() -> None:
    weight = tf.Variable([0.1, 0.7])
    averaged = AveragedWeights([weight], [weight], 0.9)
    weight.assign([0.3, -0.2])
    before = weight.numpy()
    with averaged.in_place():
        np.testing.assert_array_equal(weight, np.array([0.1, 0.7], np.float32))
    np.testing.assert_array_equal(weight, before)
