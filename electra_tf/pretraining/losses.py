# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Losses of pre-training, in float32.

They are sums over the weights of the whole global batch, so that a step does not depend on how the
batch is spread over replicas.
"""

import tensorflow as tf

EPSILON = 1e-6


def token_cross_entropy(logits: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """-log softmax(logits)[id]: logits float32 [..., V], ids int32 [...] -> float32 [...]."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=ids, logits=logits)


def replaced_token_cross_entropy(logits: tf.Tensor, is_replaced: tf.Tensor) -> tf.Tensor:
    """Binary cross-entropy of each position: float32 [B, L], labels bool or int [B, L]."""
    labels = tf.cast(is_replaced, logits.dtype)
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)


def normalized_sum(losses: tf.Tensor, weights: tf.Tensor, total_weight: tf.Tensor) -> tf.Tensor:
    """Weighted sum of `losses` over the total weight of the global batch, float32 []."""
    return tf.reduce_sum(losses * weights) / (total_weight + EPSILON)
