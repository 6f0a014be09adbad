# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which tokens are masked."""

import tensorflow as tf

from electra_tf.pretraining.scatter import gather_positions, replace_positions

MASK_TOKEN_RATE = 0.85
"""Share of the masked positions that really get [MASK]; the others keep their token."""


def candidate_positions(
    input_ids: tf.Tensor, input_mask: tf.Tensor, excluded_ids: tuple[int, ...]
) -> tf.Tensor:
    """Where masking is allowed, bool [B, L]: on real tokens that are not special."""
    allowed = tf.cast(input_mask, tf.bool)
    for excluded in excluded_ids:
        allowed &= input_ids != excluded
    return allowed


def mask_tokens(
    batch: dict[str, tf.Tensor],
    seed: tf.Tensor,
    mask_prob: float,
    num_masked: int,
    mask_id: int,
    excluded_ids: tuple[int, ...],
    with_replacement: bool = False,
    mask_token_rate: float = MASK_TOKEN_RATE,
) -> dict[str, tf.Tensor]:
    """Choose positions to predict and put [MASK] there (pretrain_helpers.py mask).

    A sequence of n tokens gets round(n * mask_prob) of them, at least 1, at most N and at most as
    many as it has candidates; entries beyond that have position, id and weight 0.

    Args:
        batch: `input_ids`, `input_mask` int32 [B, L], and other keys.
        seed: int32 [2].
        mask_prob: share of the tokens to mask.
        num_masked: N.
        mask_id: id of [MASK].
        excluded_ids: ids never masked: [CLS], [SEP], [MASK].
        with_replacement: draw positions as the original did, so that some come twice.
        mask_token_rate: share of the positions that get [MASK].

    Returns:
        `batch` with `masked_positions`, `masked_ids` int32 [B, N], `masked_weights` float32
        [B, N], `masked_input_ids` int32 [B, L].
    """
    input_ids, input_mask = batch["input_ids"], batch["input_mask"]
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    candidates = candidate_positions(input_ids, input_mask, excluded_ids)
    draw = _draw_with_replacement if with_replacement else _draw_without_replacement
    positions = draw(candidates, num_masked, seeds[0])

    num_tokens = tf.cast(tf.reduce_sum(input_mask, axis=-1), tf.float32)
    wanted = tf.clip_by_value(tf.cast(tf.round(num_tokens * mask_prob), tf.int32), 1, num_masked)
    num_candidates = tf.reduce_sum(tf.cast(candidates, tf.int32), axis=-1)
    real = tf.range(num_masked)[None, :] < tf.minimum(wanted, num_candidates)[:, None]
    positions = tf.where(real, positions, 0)
    masked_ids = tf.where(real, gather_positions(input_ids, positions), 0)

    get_mask = tf.random.stateless_uniform(tf.shape(positions), seeds[1]) < mask_token_rate
    masked_input_ids, _ = replace_positions(
        input_ids,
        positions,
        tf.fill(tf.shape(positions), mask_id),
        tf.cast(real & get_mask, tf.int32),
    )
    return {
        **batch,
        "masked_positions": positions,
        "masked_ids": masked_ids,
        "masked_weights": tf.cast(real, tf.float32),
        "masked_input_ids": masked_input_ids,
    }


def _draw_without_replacement(candidates, count, seed):
    """Candidates in random order first: int32 [B, count]."""
    order = tf.random.stateless_uniform(tf.shape(candidates), seed)
    return tf.math.top_k(tf.where(candidates, order, -1.0), count).indices


def _draw_with_replacement(candidates, count, seed):
    logits = tf.where(candidates, 0.0, -1e9)
    return tf.random.stateless_categorical(logits, count, seed, dtype=tf.int32)
