# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Functions with own gradients give what TensorFlow's and Keras' give."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from electra_tf.model.layers import LAYER_NORM_EPSILON, LayerNorm, gelu

UPSTREAM = tf.constant(np.random.default_rng(1).normal(size=(3, 5, 16)), tf.float32)


def value_and_gradients(function, x, weights=()):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
        loss = tf.reduce_sum(tf.cast(y, tf.float32) * UPSTREAM)
    return [
        tf.cast(value, tf.float32).numpy() for value in (y, *tape.gradient(loss, [x, *weights]))
    ]


def inputs(scale):
    return tf.constant(np.random.default_rng(0).normal(size=(3, 5, 16)) * scale, tf.float32)


@pytest.mark.parametrize("scale", [0.01, 1.0, 10.0])
def test_gelu(scale):
    expected = value_and_gradients(lambda x: tf.nn.gelu(x, approximate=False), inputs(scale))
    found = value_and_gradients(gelu, inputs(scale))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("dtype", "epsilon"), [(tf.bfloat16, 2**-8), (tf.float16, 2**-11)])
def test_gelu_in_low_precision_is_rounded_once(dtype, epsilon):
    """Below 0, too, where one plus erf would lose its digits."""
    x = tf.cast(tf.linspace(-3.0, 3.0, 240), dtype)
    exact = tf.nn.gelu(tf.cast(x, tf.float32), approximate=False)
    np.testing.assert_allclose(tf.cast(gelu(x), tf.float32), exact, rtol=1.01 * epsilon)


@pytest.mark.parametrize("scale", [0.01, 1.0, 1000.0])
def test_normalization(scale):
    theirs = keras.layers.LayerNormalization(epsilon=LAYER_NORM_EPSILON)
    ours = LayerNorm(epsilon=LAYER_NORM_EPSILON)
    for layer in (theirs, ours):
        layer.build((None, None, 16))
        layer.gamma.assign(np.linspace(-1, 2, 16))
        layer.beta.assign(np.linspace(3, -1, 16))
    x = inputs(scale) + 2.0
    expected, found = (
        value_and_gradients(layer, x, [layer.gamma.value, layer.beta.value])
        for layer in (theirs, ours)
    )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5 / min(scale, 1.0))


def test_normalization_in_bfloat16_computes_in_float32():
    layer = LayerNorm(epsilon=LAYER_NORM_EPSILON, dtype="mixed_bfloat16")
    layer.build((None, None, 16))
    x = tf.cast(inputs(1.0), tf.bfloat16)
    y = layer(x)
    assert y.dtype == tf.bfloat16
    exact = tf.cast(x, tf.float32)
    mean, variance = tf.nn.moments(exact, -1, keepdims=True)
    np.testing.assert_array_equal(y, tf.cast((exact - mean) * tf.math.rsqrt(variance), tf.bfloat16))
