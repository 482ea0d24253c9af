import numpy as np
import tensorflow as tf

from tasks.params import TrainParams
from tasks.training.optimizing import TwoRates, WarmupCosine
from tests.training.train_params import train_params


def params(**changes: object) -> TrainParams:
    defaults = {"steps": 100, "batch_size": 2, "learning_rate": 0.1, "warmup_steps": 10, "optimizer": "momentum"}
    return train_params(**(defaults | {"clip_norm": 1.0} | changes))


def test_the_rate_rises_to_its_peak_and_is_gone_at_the_last_step() -> None:
    rates = [float(WarmupCosine(0.1, 10, 100)(tf.constant(step))) for step in range(101)]
    np.testing.assert_allclose([rates[0], rates[10], rates[55], rates[100]], [0.01, 0.1, 0.05, 0.0], atol=1e-6)
    rises = np.diff(rates) > 0
    assert rises[:10].all()
    assert not rises[10:].any()


def test_a_warm_up_longer_than_training_still_ends_before_it() -> None:
    rates = [float(WarmupCosine(0.1, 50, 5)(tf.constant(step))) for step in range(6)]
    np.testing.assert_allclose([max(rates), rates[5]], [0.1, 0.0], atol=1e-6)


def test_new_variables_move_faster_and_the_norm_is_clipped_over_all() -> None:
    restored, new = tf.Variable([0.0]), tf.Variable([0.0])
    optimizer = TwoRates(params(warmup_steps=0), [restored], [new])
    assert optimizer.updated == [restored, new]
    norm = tf.function(optimizer.apply)([tf.constant([3.0]), tf.constant([4.0])])
    assert float(norm) == 5.0
    np.testing.assert_allclose(restored.numpy(), [-0.1 * 0.6], rtol=1e-5)
    np.testing.assert_allclose(new.numpy(), [-0.3 * 0.8], rtol=1e-5)


def test_adam_is_adam() -> None:
    settings = params(optimizer="adam", warmup_steps=0, clip_norm=100.0, new_layer_rate=1.0)
    variable = tf.Variable([1.0, -2.0])
    optimizer = TwoRates(settings, [variable], [])
    gradients = np.array([[0.5, -1.0], [0.1, 2.0], [-0.3, 0.4]], np.float32)
    apply = tf.function(optimizer.apply)

    expected, mean, square = variable.numpy().astype(np.float64), np.zeros(2), np.zeros(2)
    for step, gradient in enumerate(gradients, 1):
        apply([tf.constant(gradient)])
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        rate = float(optimizer.schedule(tf.constant(step - 1)))
        unbiased = np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        expected -= rate * unbiased * mean / (np.sqrt(square) + 1e-7)
        np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-4)
