# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a layer computes between its matrix products, with its gradients.

Both passes are `fused`, and keep for the backward pass only what is not cheaper to compute again.
"""

import math

import tensorflow as tf

from electra_tf.model.fused import fused, fused_elements, is_fused
from electra_tf.model.random_numbers import drop, kept_elements

LAYER_NORM_EPSILON = 1e-12


@tf.custom_gradient
def gelu(x: tf.Tensor) -> tf.Tensor:
    """Computes x times the normal distribution function of x, the exact form (modeling.py gelu).

    By erf, as there: erfc, which tf.nn.gelu has, is precise in relative terms far below 0 too, and
    takes three times the arithmetic. The sum loses that, so it is of float32 in any precision.
    LiteRT's converter accepts the forward operations in this order only.
    """
    return _gelu(x), lambda upstream: _gelu_gradient(x, upstream)


@fused_elements
def _gelu(x: tf.Tensor):
    wide = tf.cast(x, tf.float32)
    return tf.cast((0.5 * wide) * (1.0 + tf.math.erf(math.sqrt(0.5) * wide)), x.dtype)


@fused_elements
def _gelu_gradient(x: tf.Tensor, upstream: tf.Tensor):
    wide = tf.cast(x, tf.float32)
    # Mirrored, so that XLA computes it again: it would keep equal operations' result from the
    # forward pass, which takes as much memory as x, or twice.
    share = 0.5 - 0.5 * tf.math.erf(-math.sqrt(0.5) * wide)
    density = tf.exp(-0.5 * tf.square(wide)) * (1 / math.sqrt(2 * math.pi))
    return upstream * tf.cast(share + wide * density, x.dtype)


@tf.custom_gradient
def normalize(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
    """Layer normalization over the last axis.

    Args:
        x: float32 [..., H].
        scale: float32 [H].
        offset: float32 [H].
    """
    y, normal, inverse = _normalize(x, scale, offset)
    return y, lambda upstream: _normalize_gradient(upstream, normal, inverse, scale)


@fused
def _normalize(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor):
    centred = x - _row_sums(x) / x.shape[-1]
    variance = _row_sums(tf.square(centred)) / x.shape[-1]
    inverse = tf.math.rsqrt(variance + LAYER_NORM_EPSILON)
    normal = centred * inverse
    return normal * scale + offset, normal, inverse


def _normalize_gradient(
    upstream: tf.Tensor, normal: tf.Tensor, inverse: tf.Tensor, scale: tf.Tensor
):
    of_x, products = _gradient_of_rows(upstream, normal, inverse, scale)
    return of_x, _column_sums(products), _column_sums(upstream)


@fused
def _gradient_of_rows(upstream: tf.Tensor, normal: tf.Tensor, inverse: tf.Tensor, scale: tf.Tensor):
    products = upstream * normal
    along = _row_sums(products, scale) / upstream.shape[-1]
    rest = upstream * scale - _row_sums(upstream, scale) / upstream.shape[-1] - normal * along
    return rest * inverse, products


def _row_sums(x: tf.Tensor, factors: tf.Tensor | None = None):
    """Sums over the last axis of x, or of x times factors [H]: [..., H] -> [..., 1].

    On a CPU as a product with a vector: XLA would store what is to be summed, and then sum in
    pieces, which takes twice as long.
    """
    if not is_fused(x):
        return tf.reduce_sum(x if factors is None else x * factors, axis=-1, keepdims=True)
    factors = tf.ones(x.shape[-1:], x.dtype) if factors is None else factors
    return tf.linalg.matvec(x, factors)[..., None]


def _column_sums(x: tf.Tensor):
    """[..., H] -> [H]; on a CPU by the kernel that is fastest at it, which XLA's is not."""
    if is_fused(x):
        return tf.raw_ops.BiasAddGrad(out_backprop=x)
    return tf.reduce_sum(x, axis=list(range(len(x.shape) - 1)))


def add_and_normalize(
    x: tf.Tensor,
    residual: tf.Tensor,
    scale: tf.Tensor,
    offset: tf.Tensor,
    rate: float,
    seed: tf.Tensor | None,
) -> tf.Tensor:
    """Normalizes the sum of `residual` and what dropout leaves of `x`, in float32.

    Args:
        x: [..., H].
        residual: [..., H].
        scale: float32 [H].
        offset: float32 [H].
        rate: of dropout.
        seed: int32 [2], or None for no dropout.

    Returns:
        As `x`.
    """

    @tf.custom_gradient
    def compute(x: tf.Tensor, residual: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor):
        y, *kept = _add_and_normalize(x, residual, scale, offset, rate, seed)
        return y, lambda upstream: _add_and_normalize_gradient(upstream, *kept, scale, rate)

    return compute(x, residual, scale, offset)


@fused
def _add_and_normalize(
    x: tf.Tensor,
    residual: tf.Tensor,
    scale: tf.Tensor,
    offset: tf.Tensor,
    rate: float,
    seed: tf.Tensor | None,
):
    keep = kept_elements(x, rate, seed)
    total = tf.cast(drop(x, keep, rate) + residual, tf.float32)
    y, normal, inverse = _normalize(total, scale, offset)
    return tf.cast(y, x.dtype), normal, inverse, keep


def _add_and_normalize_gradient(
    upstream: tf.Tensor,
    normal: tf.Tensor,
    inverse: tf.Tensor,
    keep: tf.Tensor | None,
    scale: tf.Tensor,
    rate: float,
):
    of_x, of_total, products = _gradient_of_sums(upstream, normal, inverse, keep, scale, rate)
    # Not cast by the compiled function: it would copy what is float32 already.
    return of_x, of_total, _column_sums(products), _column_sums(tf.cast(upstream, tf.float32))


@fused
def _gradient_of_sums(
    upstream: tf.Tensor,
    normal: tf.Tensor,
    inverse: tf.Tensor,
    keep: tf.Tensor | None,
    scale: tf.Tensor,
    rate: float,
):
    wide = tf.cast(upstream, tf.float32)
    of_total, products = _gradient_of_rows(wide, normal, inverse, scale)
    of_total = tf.cast(of_total, upstream.dtype)
    return drop(of_total, keep, rate), of_total, products


def attention_weights(
    scores: tf.Tensor, mask_scores: tf.Tensor, rate: float, seed: tf.Tensor | None
) -> tf.Tensor:
    """Softmax over the last axis, in float32, and dropout.

    Args:
        scores: [B, A, L, L].
        mask_scores: added to them, of a shape that can be; gradients do not reach it.
        rate: of dropout.
        seed: int32 [2], or None for no dropout.

    Returns:
        As `scores`.
    """

    @tf.custom_gradient
    def compute(scores: tf.Tensor):
        dropped, *kept = _attention_weights(scores, mask_scores, rate, seed)
        return dropped, lambda upstream: _attention_weights_gradient(upstream, *kept, rate)

    return compute(scores)


@fused
def _attention_weights(
    scores: tf.Tensor, mask_scores: tf.Tensor, rate: float, seed: tf.Tensor | None
):
    # Keras casts what layers are called with, the mask too, to a lower precision.
    weights = tf.nn.softmax(tf.cast(scores, tf.float32) + tf.cast(mask_scores, tf.float32))
    keep = kept_elements(weights, rate, seed)
    return drop(tf.cast(weights, scores.dtype), keep, rate), weights, keep


@fused
def _attention_weights_gradient(
    upstream: tf.Tensor, weights: tf.Tensor, keep: tf.Tensor | None, rate: float
):
    of_weights = tf.cast(drop(upstream, keep, rate), tf.float32)
    along = _row_sums(of_weights * weights)
    return tf.cast((of_weights - along) * weights, upstream.dtype)
