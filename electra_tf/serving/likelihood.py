# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Pseudo-log-likelihoods: how probable each token of a text is where all others are known.

Salazar et al., "Masked Language Model Scoring" (ACL 2020), mask one token after the other, which
takes a row per token. Clark et al., "Pre-Training Transformers as Energy-Based Cloze Models" (EMNLP
2020), need one pass: Electric's discriminator gives the energy of every token, and its two-tower
generator never sees the token that it predicts.
"""

from collections.abc import Callable, Mapping

import tensorflow as tf

from electra_tf.pretraining.losses import token_cross_entropy

ENERGIES = "energies"
"""Negative energies of Electric's discriminator, which are about log-probabilities: training makes
them so, nothing normalizes them."""
TWO_TOWERS = "two_towers"
"""Log-probabilities of a two-tower generator, of all tokens in one pass."""
MASKED = "masked"
"""Log-probabilities of a masked LM or of a pair's generator, with each token masked by itself."""

_MOST_POSITIONS = 256
"""Positions whose logits over the vocabulary are in memory at once."""
_MOST_TOKENS = 8192
"""Tokens of the rows that are read at once, in which one position each is masked."""


def likelihood_outputs(
    located: Mapping[str, tf.Tensor], values: tf.Tensor, method: str
) -> dict[str, tf.Tensor]:
    """What the signature gives.

    Args:
        located: of the texts, see `serving.located.located_batch`.
        values: float32 [B, T], pseudo-log-likelihoods of the tokens; 0 behind them.
        method: one of those above.

    Returns:
        `located`, and `token_log_likelihoods` float32 [B, T]; `log_likelihood` [B], their sum;
        `mean_log_likelihood` [B], 0 of a text without tokens; `perplexity` [B], unless these are
        energies; `method` string [B].
    """
    total = tf.reduce_sum(values, axis=1)
    mean = total / tf.cast(tf.maximum(located["num_tokens"], 1), tf.float32)
    outputs = {
        **located,
        "token_log_likelihoods": values,
        "log_likelihood": total,
        "mean_log_likelihood": mean,
        "method": tf.fill(tf.shape(total), method),
    }
    if method != ENERGIES:
        outputs["perplexity"] = tf.exp(-mean)
    return outputs


def masked_one_by_one(
    batch: Mapping[str, tf.Tensor],
    is_scored: tf.Tensor,
    mask_id: int,
    logits_at: Callable[[Mapping[str, tf.Tensor], tf.Tensor], tf.Tensor],
) -> tf.Tensor:
    """Log-probability of each token with that token alone masked, float32 [B, L].

    Args:
        batch: `input_ids`, `input_mask`, `segment_ids` int32 [B, L].
        is_scored: bool [B, L]; the other positions get 0.
        mask_id: of the mask token.
        logits_at: rows of m texts and positions int32 [m, 1] in them -> logits [m, 1, V].
    """
    lengths = tf.reduce_sum(batch["input_mask"], axis=1)

    def log_likelihoods(found: tf.Tensor) -> tf.Tensor:
        rows, places = found[:, 0], found[:, 1:]
        width = tf.reduce_max(tf.gather(lengths, rows))  # rows beside each other are much alike
        part = {name: tf.gather(values, rows)[:, :width] for name, values in batch.items()}
        ids = part["input_ids"]
        part["input_ids"] = tf.where(tf.range(width) == places, mask_id, ids)
        true_ids = tf.gather(ids, places, batch_dims=1)
        return -token_cross_entropy(logits_at(part, places), true_ids)[:, 0]

    length = tf.shape(is_scored)[1]
    at_once = tf.clip_by_value(_MOST_TOKENS // length, 1, _MOST_POSITIONS)
    return _in_parts(is_scored, at_once, log_likelihoods)


def of_states(
    input_ids: tf.Tensor,
    is_scored: tf.Tensor,
    states: tf.Tensor,
    logits_of: Callable[[tf.Tensor], tf.Tensor],
) -> tf.Tensor:
    """Log-probability of each token by a state that has not seen it, float32 [B, L].

    Args:
        input_ids: int32 [B, L].
        is_scored: bool [B, L]; the other positions get 0.
        states: float32 [B, L, H].
        logits_of: states [m, 1, H] -> logits [m, 1, V].
    """

    def log_likelihoods(found: tf.Tensor) -> tf.Tensor:
        logits = logits_of(tf.gather_nd(states, found)[:, None])
        return -token_cross_entropy(logits[:, 0], tf.gather_nd(input_ids, found))

    return _in_parts(is_scored, _MOST_POSITIONS, log_likelihoods)


def _in_parts(
    is_scored: tf.Tensor,
    at_once: int | tf.Tensor,
    values_at: Callable[[tf.Tensor], tf.Tensor],
) -> tf.Tensor:
    """Values of chosen places, float32 [B, L], computed for so many at once that memory allows it.

    Args:
        is_scored: bool [B, L].
        at_once: most places of a part.
        values_at: rows and columns of m places int32 [m, 2] -> values float32 [m].
    """
    found = tf.cast(tf.where(is_scored), tf.int32)

    def next_part(start: tf.Tensor, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        part = found[start : start + at_once]
        return start + at_once, tf.tensor_scatter_nd_update(values, part, values_at(part))

    _, values = tf.while_loop(
        lambda start, _: start < tf.shape(found)[0],
        next_part,
        (0, tf.zeros_like(is_scored, tf.float32)),
        parallel_iterations=1,
    )
    return values
