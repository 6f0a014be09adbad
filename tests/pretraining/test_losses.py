# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import tensorflow as tf

from electra_tf.pretraining import losses
from electra_tf.pretraining.losses import copied_token_cross_entropy


def test_token_cross_entropy():
    logits = np.random.default_rng(0).normal(size=[2, 3, 7]).astype(np.float32)
    ids = np.array([[0, 6, 3], [2, 2, 5]], np.int32)
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = -np.log(np.take_along_axis(p, ids[..., None], axis=-1))[..., 0]
    np.testing.assert_allclose(losses.token_cross_entropy(logits, ids), expected, rtol=1e-5)


def test_replaced_token_cross_entropy():
    logits = np.array([[-3.0, 0.0, 2.0, 80.0]], np.float32)
    labels = np.array([[False, True, True, False]])
    p = 1 / (1 + np.exp(-logits.astype(np.float64)))
    expected = np.where(labels, -np.log(p), logits + np.log1p(np.exp(-logits.astype(np.float64))))
    for given in (labels, labels.astype(np.int32)):
        found = losses.replaced_token_cross_entropy(tf.constant(logits), given)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_copied_token_cross_entropy():
    """Against float64, where one share or the other is next to nothing."""
    losses, copy_logits = np.meshgrid([1e-3, 1.0, 9.0, 40.0], [-30.0, -2.0, 0.0, 3.0, 30.0])
    d, p = 1 / (1 + np.exp(-copy_logits)), np.exp(-losses)
    arguments = losses.astype(np.float32), copy_logits.astype(np.float32)
    found = copied_token_cross_entropy(*arguments, np.ones_like(d, bool)).numpy()
    np.testing.assert_allclose(found, -np.log(d + (1 - d) * p), rtol=1e-5, atol=2e-6)
    found = copied_token_cross_entropy(*arguments, np.zeros_like(d, bool)).numpy()
    expected = losses + np.logaddexp(0, copy_logits)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_normalized_sum():
    values, weights = tf.constant([[1.0, 2.0], [4.0, 100.0]]), tf.constant([[1.0, 1.0], [1.0, 0.0]])
    found = losses.normalized_sum(values, weights, tf.reduce_sum(weights))
    np.testing.assert_allclose(found, 7 / 3, rtol=1e-5)
    assert float(losses.normalized_sum(values, weights * 0, tf.constant(0.0))) == 0.0


def test_parts_of_a_batch_sum_up_to_the_whole():
    generator = np.random.default_rng(0)
    values = generator.normal(size=[4, 5]).astype(np.float32)
    weights = generator.integers(0, 2, [4, 5]).astype(np.float32)
    total = weights.sum()
    whole = losses.normalized_sum(values, weights, total)
    parts = [
        losses.normalized_sum(values[rows], weights[rows], total)
        for rows in (slice(0, 1), slice(1, 4))
    ]
    np.testing.assert_allclose(sum(parts), whole, rtol=1e-6)
