# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Functions with gradients of their own, which take fewer passes over memory than derived ones.

Outside of XLA every operation is such a pass, and that is what they cost.
"""

import math

import tensorflow as tf


@tf.custom_gradient
def gelu(x: tf.Tensor) -> tf.Tensor:
    """x times the normal distribution function of x, the exact form (modeling.py gelu).

    By erf, as there: erfc, which tf.nn.gelu has, is precise in relative terms far below 0 too, and
    takes three times the arithmetic. The sum loses that, so it is of float32 in any precision.
    LiteRT's converter knows the forward operations in this order only.
    """

    def gradient(upstream: tf.Tensor):
        wide = tf.cast(x, tf.float32)
        # Mirrored, so that XLA computes it again: it would keep equal operations' result from the
        # forward pass, which takes as much memory as x, or twice.
        share = 0.5 - 0.5 * tf.math.erf(-math.sqrt(0.5) * wide)
        density = tf.exp(-0.5 * tf.square(wide)) * (1 / math.sqrt(2 * math.pi))
        return upstream * tf.cast(share + wide * density, x.dtype)

    wide = tf.cast(x, tf.float32)
    y = (0.5 * wide) * (1.0 + tf.math.erf(math.sqrt(0.5) * wide))
    return tf.cast(y, x.dtype), gradient


@tf.custom_gradient
def normalize(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor, epsilon: float) -> tf.Tensor:
    """Layer normalization over the last axis.

    Args:
        x: float32 [..., H]; scale, offset: float32 [H].
        epsilon: added to the variance.
    """
    centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
    inverse = tf.math.rsqrt(variance + epsilon)
    normal = centred * inverse

    def gradient(upstream: tf.Tensor):
        scaled = upstream * scale
        along = tf.reduce_mean(scaled * normal, axis=-1, keepdims=True)
        rest = scaled - tf.reduce_mean(scaled, axis=-1, keepdims=True) - normal * along
        axes = list(range(len(x.shape) - 1))
        of_scale = tf.reduce_sum(upstream * normal, axis=axes)
        return rest * inverse, of_scale, tf.reduce_sum(upstream, axis=axes), None

    return normal * scale + offset, gradient
