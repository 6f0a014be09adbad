# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Uniform numbers and dropout from integer bits: the same with and without XLA.

TensorFlow's own float draws differ between XLA and its plain kernels for one seed; its integers,
drawn by one named algorithm, do not.
"""

import tensorflow as tf

from electra_tf.accelerators import has_accelerator
from electra_tf.model.fused import is_fused

_ALGORITHM = "philox"
_BITS_OF_UNIFORM = 22
_LEVELS_OF_DROPOUT = 2**16
_MIXING = ((16, 0x7FEB352D), (15, 0x846CA68B))
"""Shifts and factors of the hash."""


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

    `rate` is rounded to a multiple of 2^-16, and what is kept is scaled by the rounded rate, so
    that the expectation is `x`. Which elements it keeps depends on the seed, the shape and the kind
    of device: where XLA fuses (see `model/fused.py`
    for CPUs), a hash of the position costs no memory and can be computed again by
    the backward pass; elsewhere half a random word per element is cheaper.

    Args:
        x: floating point, of any shape.
        rate: in [0, 1).
        seed: int [2], or None.
    """
    return drop(x, kept_elements(x, rate, seed), rate)


def kept_elements(x: tf.Tensor, rate: float, seed: tf.Tensor | None) -> tf.Tensor | None:
    """Where `dropout` keeps elements, bool in the shape of `x`; None for everywhere."""
    if seed is None or rate == 0.0:
        return None
    levels = hashed_levels if has_accelerator() or is_fused(x) else drawn_levels
    return levels(x, seed) >= tf.constant(_dropped_levels(rate), tf.uint16)


def drop(x: tf.Tensor, keep: tf.Tensor | None, rate: float) -> tf.Tensor:
    """`x` without the elements that `kept_elements` does not keep, and scaled."""
    if keep is None:
        return x
    scale = 1.0 / (1.0 - _dropped_levels(rate) / _LEVELS_OF_DROPOUT)
    return tf.where(keep, x * scale, tf.zeros([], x.dtype))


def _dropped_levels(rate: float) -> int:
    return max(1, round(rate * _LEVELS_OF_DROPOUT))


def drawn_levels(x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Uniform uint16 in the shape of `x`, two out of each random word."""
    size = tf.size(x)
    words = _bits([(size + 1) // 2], seed)
    halves = tf.reshape(tf.bitcast(words, tf.uint16), [-1])[:size]
    return tf.reshape(halves, tf.shape(x))


def hashed_levels(x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Uniform uint16 in the shape of `x`, by operations on single elements only.

    SplitMix (Steele, Lea, Flood, OOPSLA 2014) in 32 bits: element i gets the mixed bits of start +
    i * step, of which the seed gives start and an odd step. Mixed by C. Wellons' "lowbias32".
    """
    step, start = tf.unstack(tf.bitcast(tf.cast(seed, tf.int32), tf.uint32))
    # Counted in two dimensions: one range over everything could become a constant of that size.
    columns = tf.shape(x)[-1]
    rows = tf.size(x) // columns
    number = tf.range(rows)[:, None] * columns + tf.range(columns)
    word = start + tf.cast(number, tf.uint32) * tf.bitwise.bitwise_or(step, _word(1))
    for shift, factor in _MIXING:
        word = tf.bitwise.bitwise_xor(word, tf.bitwise.right_shift(word, _word(shift)))
        word *= _word(factor)
    # The last shift of lowbias32 leaves the upper half, which is used, as it is.
    return tf.cast(tf.bitwise.right_shift(tf.reshape(word, tf.shape(x)), _word(16)), tf.uint16)


def _bits(shape: tf.Tensor | list[int], seed: tf.Tensor) -> tf.Tensor:
    return tf.random.stateless_uniform(
        shape, seed, minval=None, maxval=None, dtype=tf.uint32, alg=_ALGORITHM
    )


def _word(number: int) -> tf.Tensor:
    return tf.constant(number, tf.uint32)
