# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Hidden states as features: per token, of the first token, mean over a row's real tokens."""

import tensorflow as tf


def pooled(hidden: tf.Tensor, input_mask: tf.Tensor) -> dict[str, tf.Tensor]:
    """`token_features` float32 [B, L, H], 0 at padding; `first_token`, `mean` [B, H].

    The mean is over all that is not padding, `[CLS]` and `[SEP]` included, so that an empty text
    has one too.
    """
    hidden = tf.cast(hidden, tf.float32)
    # Not `[:, :, None]`: LiteRT has no strided slices that add an axis.
    weights = tf.expand_dims(tf.cast(input_mask, tf.float32), -1)
    hidden *= weights
    count = tf.maximum(tf.reduce_sum(weights, axis=1), 1.0)
    return {
        "token_features": hidden,
        "first_token": hidden[:, 0],
        "mean": tf.reduce_sum(hidden, axis=1) / count,
    }


def chosen_layer(states: list[tf.Tensor], layer: tf.Tensor) -> tf.Tensor:
    """The states [B, L, H] of the layer that each row asks for.

    Args:
        states: n + 1 tensors [B, L, H], what the first layer reads and what each layer gives.
        layer: int32 [B], 0 .. n, or counted from the end, -1 for the last.
    """
    count = len(states)
    allowed = tf.debugging.Assert(
        tf.reduce_all((layer >= -count) & (layer < count)),
        [f"layer is expected to be in {-count}..{count - 1}, but is", layer],
        summarize=8,
    )
    with tf.control_dependencies([allowed]):
        layer = tf.where(layer < 0, layer + count, layer)[:, None, None]
    chosen = states[0]
    for number, state in enumerate(states[1:], start=1):
        chosen = tf.where(layer == number, state, chosen)
    return chosen
