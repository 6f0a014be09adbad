# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which tokens are masked, and the fakes that are put in their place."""

import tensorflow as tf

from electra_tf.accelerators import has_accelerator
from electra_tf.model.random_numbers import uniform
from electra_tf.seeds import split_seed

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
    mask_prob: float | tf.Tensor,
    num_masked: int,
    mask_id: int,
    excluded_ids: tuple[int, ...],
    with_replacement: bool = False,
    whole_words: bool = False,
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
        excluded_ids: ids never masked, see `Vocabulary.never_masked_ids`.
        with_replacement: draw positions as the original did, so that some come twice.
        whole_words: draw words instead of tokens, by `word_starts` [B, L] of the batch; a sequence
            gets as many whole words as fit into the number of tokens above, so it may get fewer.
        mask_token_rate: share of the positions that get [MASK].

    Returns:
        `batch` with `masked_positions`, `masked_ids` int32 [B, N], `masked_weights` float32
        [B, N], `masked_input_ids` int32 [B, L].
    """
    input_ids, input_mask = batch["input_ids"], batch["input_mask"]
    seeds = split_seed(seed, 2)
    candidates = candidate_positions(input_ids, input_mask, excluded_ids)
    wanted = _num_wanted(input_mask, candidates, mask_prob, num_masked)
    if whole_words:
        word_numbers = tf.cumsum(_word_starts(batch), axis=1)  # [B, L]
        positions, wanted = _draw_words(candidates, word_numbers, num_masked, wanted, seeds[0])
    else:
        draw = _draw_with_replacement if with_replacement else _draw_without_replacement
        positions = draw(candidates, num_masked, seeds[0])
    real = tf.range(num_masked)[None, :] < wanted[:, None]
    positions = tf.where(real, positions, 0)
    masked_ids = tf.where(real, gather_positions(input_ids, positions), 0)

    get_mask = uniform(tf.shape(positions), seeds[1]) < mask_token_rate
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


def _num_wanted(
    input_mask: tf.Tensor, candidates: tf.Tensor, mask_prob: float | tf.Tensor, num_masked: int
):
    """Positions to predict in each sequence, int32 [B]; see `mask_tokens`."""
    num_tokens = tf.cast(tf.reduce_sum(input_mask, axis=-1), tf.float32)
    wanted = tf.clip_by_value(tf.cast(tf.round(num_tokens * mask_prob), tf.int32), 1, num_masked)
    return tf.minimum(wanted, tf.reduce_sum(tf.cast(candidates, tf.int32), axis=-1))


def _draw_without_replacement(candidates: tf.Tensor, count: int, seed: tf.Tensor):
    """Candidates in random order first: int32 [B, count]."""
    order = uniform(tf.shape(candidates), seed)
    return tf.math.top_k(tf.where(candidates, order, -1.0), count).indices


def _draw_with_replacement(candidates: tf.Tensor, count: int, seed: tf.Tensor):
    """Candidates, each drawn among all of them: int32 [B, count]."""
    so_far = tf.cumsum(tf.cast(candidates, tf.float32), axis=1)  # [B, L]
    rank = uniform([tf.shape(candidates)[0], count], seed) * so_far[:, -1:]
    return tf.searchsorted(so_far, rank, side="right")


def _draw_words(
    candidates: tf.Tensor, word_numbers: tf.Tensor, count: int, wanted: tf.Tensor, seed: tf.Tensor
):
    """Tokens of whole words in random order, and how many of them make up whole words.

    Args:
        candidates: bool [B, L].
        word_numbers: int32 [B, L], ascending from 0 or 1.
        count: positions returned.
        wanted: int32 [B], tokens at most.
        seed: int32 [2].

    Returns:
        positions int32 [B, count], number of them to use int32 [B].
    """
    rows, length = tf.unstack(tf.shape(candidates))
    # All tokens of a word have the random number of its word, so they stay together, in order:
    # top_k puts the earlier of equal ones first.
    order = tf.gather(uniform([rows, length + 1], seed), word_numbers, batch_dims=1)
    positions = tf.math.top_k(tf.where(candidates, order, -1.0), length).indices
    words = tf.gather(word_numbers, positions, batch_dims=1)
    is_last = tf.concat([words[:, 1:] != words[:, :-1], tf.ones_like(words[:, :1], tf.bool)], 1)
    ends = tf.where(is_last, tf.range(1, length + 1), 0)  # tokens up to the end of a word
    return positions[:, :count], tf.reduce_max(tf.where(ends <= wanted[:, None], ends, 0), axis=1)


def _word_starts(batch: dict[str, tf.Tensor]):
    if "word_starts" not in batch:
        raise ValueError(
            "whole_word_masking needs records that say where words begin (word_starts); these "
            "do not."
        )
    return batch["word_starts"]


def gather_positions(sequence: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """The values of `sequence` [B, L, ...] at `positions` int [B, N]: [B, N, ...]."""
    return tf.gather(sequence, positions, batch_dims=1)


def neighbours(before: tf.Tensor, after: tf.Tensor) -> tf.Tensor:
    """At each position `before` of the position on its left and `after` of that on its right.

    Ends wrap around, as in the original; [CLS] and [SEP] or padding stand there.

    Args:
        before: [B, L, H].
        after: [B, L, H].

    Returns:
        [B, L, 2 H].
    """
    # tf.roll would do, but LiteRT does not have it.
    left = tf.concat([before[:, -1:], before[:, :-1]], axis=1)
    right = tf.concat([after[:, 1:], after[:, :1]], axis=1)
    return tf.concat([left, right], axis=-1)


def replace_positions(
    ids: tf.Tensor, positions: tf.Tensor, new_ids: tf.Tensor, weights: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Write new ids into sequences; where a position occurs twice, its first entry wins.

    ids [[7, 8, 9]], positions [[2, 2, 1]], new_ids [[5, 6, 4]], weights [[1, 1, 0]]
    gives [[7, 8, 5]] and [[False, False, True]].

    Args:
        ids: int32 [B, L].
        positions: int32 [B, N].
        new_ids: int32 [B, N].
        weights: [B, N]; entries of weight 0 write nothing.

    Returns:
        The new ids int32 [B, L], and where something was written, bool [B, L].
    """
    hits = (positions[:, :, None] == tf.range(tf.shape(ids)[1])) & (weights[:, :, None] > 0)
    first = tf.argmax(tf.cast(hits, tf.int32), axis=1, output_type=tf.int32)  # [B, L]
    written = tf.reduce_any(hits, axis=1)
    return tf.where(written, gather_positions(new_ids, first), ids), written


BLOCK = 256
"""Tokens of the vocabulary that are drawn from together: about the root of its size."""
DISALLOWED = 1000.0
"""Taken off the logit of the right token under `disallow_correct`, as in the original."""


def sample_tokens(
    logits: tf.Tensor,
    seed: tf.Tensor,
    temperature: float | tf.Tensor = 1.0,
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
    logits: tf.Tensor,
    numbers: tf.Tensor,
    temperature: float | tf.Tensor,
    disallowed_ids: tf.Tensor | None,
):
    """Draw a block of the vocabulary by its probability, then a token of the block.

    logits [..., V], numbers in (0, 1) [..., 2], disallowed_ids [...] or None -> int32 [...].
    """
    vocab_size = logits.shape[-1]
    num_blocks = -(-vocab_size // BLOCK)
    if disallowed_ids is not None:
        is_disallowed = tf.range(vocab_size) == disallowed_ids[..., None]
        logits = tf.where(is_disallowed, logits - DISALLOWED, logits)
    if tf.is_tensor(temperature) or temperature != 1.0:
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
