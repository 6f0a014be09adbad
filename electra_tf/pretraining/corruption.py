# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Fakes: tokens sampled from the generator, put in place of the masked ones.

The original adds Gumbel noise to every logit. Here two numbers per position do: they invert the
distribution function, first over blocks of the vocabulary, then inside of one. It is the same
distribution, with nothing of the size of the logits drawn or stored.
"""

import tensorflow as tf

from electra_tf.accelerators import has_accelerator
from electra_tf.model.random_numbers import uniform

BLOCK = 256
"""Tokens of the vocabulary that are drawn from together: about the root of its size."""
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
    numbers = uniform(tf.concat([tf.shape(logits)[:2], [2]], axis=0), seed)
    if has_accelerator():  # where XLA fuses what follows into two passes over the logits
        return _draw(logits, numbers, temperature, disallowed_ids)

    def draw_row(row: tf.Tensor):  # of one sequence, which a processor's caches hold
        disallowed = None if disallowed_ids is None else disallowed_ids[row]
        return _draw(logits[row], numbers[row], temperature, disallowed)

    return tf.map_fn(
        draw_row,
        tf.range(tf.shape(logits)[0]),
        fn_output_signature=tf.TensorSpec(logits.shape[1:2], tf.int32),
    )


def _draw(
    logits: tf.Tensor, numbers: tf.Tensor, temperature: float, disallowed_ids: tf.Tensor | None
):
    """Draw a block of the vocabulary by its probability, then a token of the block.

    logits [..., V], numbers in (0, 1) [..., 2], disallowed_ids [...] or None -> int32 [...].
    """
    vocab_size = logits.shape[-1]
    num_blocks = -(-vocab_size // BLOCK)
    if disallowed_ids is not None:
        is_disallowed = tf.range(vocab_size) == disallowed_ids[..., None]
        logits = tf.where(is_disallowed, logits - DISALLOWED, logits)
    if temperature != 1.0:
        logits /= temperature
    largest = tf.reduce_max(logits, axis=-1, keepdims=True)
    padding = [[0, 0]] * (logits.shape.rank - 1) + [[0, num_blocks * BLOCK - vocab_size]]
    shape = tf.concat([tf.shape(logits)[:-1], [num_blocks, BLOCK]], axis=0)
    weights = tf.reshape(tf.pad(tf.exp(logits - largest), padding), shape)
    block = _choose(tf.reduce_sum(weights, axis=-1), numbers[..., 0])
    # Of the block again from the logits: exponentials with a second use would be stored.
    ids = block[..., None] * BLOCK + tf.range(BLOCK)
    chosen = tf.gather(logits, tf.minimum(ids, vocab_size - 1), batch_dims=logits.shape.rank - 1)
    within = tf.where(ids < vocab_size, tf.exp(chosen - largest), 0.0)
    return block * BLOCK + _choose(within, numbers[..., 1])


def _choose(weights: tf.Tensor, number: tf.Tensor):
    """Index in the last dimension, drawn in proportion to the weights."""
    so_far = tf.cumsum(weights, axis=-1)
    is_before = so_far <= number[..., None] * so_far[..., -1:]
    return tf.reduce_sum(tf.cast(is_before, tf.int32), axis=-1)
