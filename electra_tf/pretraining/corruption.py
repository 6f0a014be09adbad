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
    logits = tf.stop_gradient(logits)
    if temperature != 1.0:
        logits /= temperature
    if disallowed_ids is not None:
        rows, columns = tf.meshgrid(
            *map(tf.range, tf.unstack(tf.shape(disallowed_ids))), indexing="ij"
        )
        places = tf.stack([rows, columns, disallowed_ids], axis=-1)  # [B, N, 3]
        logits = tf.tensor_scatter_nd_sub(
            logits, places, tf.fill(tf.shape(disallowed_ids), DISALLOWED)
        )
    # Gumbel's trick, as in the original. Where the uniform number is 0 the noise is -inf, which
    # loses every comparison, as it should.
    uniform = tf.random.stateless_uniform(tf.shape(logits), seed)
    noisy = logits - tf.math.log(-tf.math.log(uniform))
    return tf.argmax(noisy, axis=-1, output_type=tf.int32)
