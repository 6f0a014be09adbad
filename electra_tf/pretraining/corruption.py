# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Fakes: tokens sampled from the generator, put in place of the masked ones."""

import tensorflow as tf

DISALLOWED = 1000.0
"""Taken off the logit of the right token under `disallow_correct`, as in the original."""


def sample_tokens(
    logits: tf.Tensor,
    seed: tf.Tensor,
    temperature: float = 1.0,
    disallowed_ids: tf.Tensor | None = None,
) -> tf.Tensor:
    """Draw one token from softmax(logits / temperature) at each position.

    Args:
        logits: float32 [B, N, V].
        seed: int32 [2].
        temperature: above 0.
        disallowed_ids: int32 [B, N] or None; a token that is not to be drawn at each position.

    Returns:
        int32 [B, N]; no gradient passes.
    """
    batch, count, vocab = tf.unstack(tf.shape(logits))
    flat = tf.reshape(tf.stop_gradient(logits), [-1, vocab]) / temperature  # [B * N, V]
    if disallowed_ids is not None:
        rows = tf.range(batch * count)
        places = tf.stack([rows, tf.reshape(disallowed_ids, [-1])], axis=-1)
        flat = tf.tensor_scatter_nd_sub(flat, places, tf.fill([batch * count], DISALLOWED))
    sampled = tf.random.stateless_categorical(flat, 1, seed, dtype=tf.int32)
    return tf.reshape(sampled, [batch, count])
