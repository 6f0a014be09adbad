# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Losses of pre-training, in float32.

They are sums over the weights of the whole global batch, so that a step does not depend on how the
batch is spread over replicas.
"""

import tensorflow as tf

from electra_tf.model.fused import fused, is_fused

EPSILON = 1e-6


def token_cross_entropy(logits: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """-log softmax(logits)[id]: logits float32 [..., V], ids int32 [...] -> float32 [...]."""
    if not is_fused(logits):
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=ids, logits=logits)

    @tf.custom_gradient
    def compute(logits: tf.Tensor):
        losses, log_total = _cross_entropy(logits, ids)
        return losses, lambda upstream: _cross_entropy_gradient(logits, ids, log_total, upstream)

    return compute(logits)


@fused
def _cross_entropy(logits: tf.Tensor, ids: tf.Tensor):
    log_total = tf.reduce_logsumexp(logits, axis=-1)
    return log_total - tf.gather(logits, ids, batch_dims=ids.shape.rank), log_total


@fused
def _cross_entropy_gradient(
    logits: tf.Tensor, ids: tf.Tensor, log_total: tf.Tensor, upstream: tf.Tensor
):
    """From the logits again: their softmax would take as much memory as they do."""
    right = tf.cast(tf.range(logits.shape[-1]) == ids[..., None], tf.float32)
    return (tf.exp(logits - log_total[..., None]) - right) * upstream[..., None]


def copied_token_cross_entropy(
    cross_entropies: tf.Tensor, copy_logits: tf.Tensor, is_copy: tf.Tensor
) -> tf.Tensor:
    """-log(D [the token is a copy] + (1 - D) p), where D = sigmoid(copy logit).

    Args:
        cross_entropies: float32 [...], -log p of tokens by the vocabulary.
        copy_logits: float32 [...].
        is_copy: bool [...], whether copying gives the token.

    Returns:
        float32 [...].
    """
    # With c the copy logit and v = -log p, copies have the loss
    # -log((e^c + e^-v) / (e^c + 1)) = log(1 + e^-c) - log(1 + e^-(c + v)).
    copied = tf.nn.softplus(-copy_logits) - tf.nn.softplus(-copy_logits - cross_entropies)
    return tf.where(is_copy, copied, tf.nn.softplus(copy_logits) + cross_entropies)


def replaced_token_cross_entropy(logits: tf.Tensor, is_replaced: tf.Tensor) -> tf.Tensor:
    """Binary cross-entropy of each position: float32 [B, L], labels bool or int [B, L]."""
    labels = tf.cast(is_replaced, logits.dtype)
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)


def normalized_sum(losses: tf.Tensor, weights: tf.Tensor, total_weight: tf.Tensor) -> tf.Tensor:
    """Weighted sum of `losses` over the total weight of the global batch, float32 []."""
    return tf.reduce_sum(losses * weights) / (total_weight + EPSILON)
