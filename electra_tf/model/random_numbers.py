# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Uniform numbers and dropout from integer bits: the same with and without XLA.

TensorFlow's own float draws differ between XLA and its plain kernels for one seed; its integers,
drawn by one named algorithm, do not.
"""

import tensorflow as tf

_ALGORITHM = "philox"
_BITS_OF_UNIFORM = 22
_LEVELS_OF_DROPOUT = 2**16


def uniform(shape: tf.Tensor | list[int], seed: tf.Tensor) -> tf.Tensor:
    """Float32 in the open interval (0, 1): multiples of 2^-22, plus half of that.

    One bit less than float32 has, so that x times one of them is always below x.

    Args:
        shape: of the result.
        seed: int [2].
    """
    bits = tf.bitwise.right_shift(_bits(shape, seed), tf.constant(32 - _BITS_OF_UNIFORM, tf.uint32))
    return (tf.cast(bits, tf.float32) + 0.5) * 2.0**-_BITS_OF_UNIFORM


def dropout(x: tf.Tensor, rate: float, seed: tf.Tensor | None) -> tf.Tensor:
    """Drop elements of `x` with probability `rate`; identity without a seed (inference).

    Half a random word per element: `rate` is rounded to a multiple of 2^-16, and what is kept is
    scaled by the rounded rate, so that the expectation is `x`.
    """
    if seed is None or rate == 0.0:
        return x
    dropped = max(1, round(rate * _LEVELS_OF_DROPOUT))
    size = tf.size(x)
    words = _bits([(size + 1) // 2], seed)
    halves = tf.reshape(tf.bitcast(words, tf.uint16), [-1])[:size]
    keep = tf.reshape(halves, tf.shape(x)) >= tf.constant(dropped, tf.uint16)
    return tf.where(keep, x * (1.0 / (1.0 - dropped / _LEVELS_OF_DROPOUT)), tf.zeros([], x.dtype))


def split_seed(seed: tf.Tensor, count: int) -> list[tf.Tensor]:
    """`count` seeds int32 [2] that follow from one."""
    # Left to itself, XLA takes another algorithm for negative seeds.
    return tf.unstack(tf.random.experimental.stateless_split(seed, count, alg=_ALGORITHM))


def _bits(shape, seed) -> tf.Tensor:
    return tf.random.stateless_uniform(
        shape, seed, minval=None, maxval=None, dtype=tf.uint32, alg=_ALGORITHM
    )
