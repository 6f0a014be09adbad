# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Rows of raw texts, and where in the texts their tokens are."""

import tensorflow as tf

from electra_tf.text import Tokenizer, TokensWithOffsets
from electra_tf.text.packing import dense, heads, packed_batch
from electra_tf.text.ragged import Parts, part_starts


def located_batch(
    tokenizer: Tokenizer, texts: tf.Tensor, max_seq_length: int, masked: bool = False
) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
    """Rows of single texts, and where their tokens are.

    Returns:
        The batch, and a dict: `tokens` string, `token_ids`, `starts`, `ends` int32 [B, T] of the
        text's tokens, filled up with "" and 0; `num_tokens` int32 [B]; `is_truncated` bool [B],
        whether the end of the text was left out.
    """
    found = tokens_of_masked(tokenizer, texts) if masked else tokens_of(tokenizer, texts)
    lengths = found.ids.row_lengths()
    kept = tf.minimum(lengths, max_seq_length - 2)
    found = TokensWithOffsets(*(heads(column, kept) for column in found))
    located = {
        "tokens": dense(names_of(tokenizer, found.ids), ""),
        "token_ids": dense(found.ids),
        "starts": dense(found.starts),
        "ends": dense(found.ends),
        "num_tokens": tf.cast(kept, tf.int32),
        "is_truncated": lengths > kept,
    }
    return packed_batch(found.ids, None, tokenizer.vocabulary), located


def names_of(tokenizer: Tokenizer, ids: tf.Tensor | tf.RaggedTensor) -> tf.Tensor | tf.RaggedTensor:
    """The tokens of ids, as strings in the same layout."""
    names = tf.constant([token.encode() for token in tokenizer.vocabulary.tokens])
    if isinstance(ids, tf.RaggedTensor):
        return ids.with_flat_values(tf.gather(names, ids.flat_values))
    return tf.gather(names, ids)


def text_positions(values: tf.Tensor, num_tokens: tf.Tensor) -> tf.Tensor:
    """Values [B, L] of rows `[CLS] text [SEP]` for the text's tokens, [B, T], 0 behind them."""
    inner = values[:, 1:-1]
    mask = tf.sequence_mask(num_tokens, tf.shape(inner)[1])
    return tf.where(mask, inner, tf.zeros_like(inner))


def tokens_of(tokenizer: Tokenizer, texts: tf.Tensor) -> TokensWithOffsets:
    """Ids of texts [B] and the bytes that each stands for, all int32."""
    return TokensWithOffsets(*(tf.cast(column, tf.int32) for column in tokenizer.offsets(texts)))


def tokens_of_masked(tokenizer: Tokenizer, texts: tf.Tensor) -> TokensWithOffsets:
    """As `tokens_of`, but each "[MASK]" in the texts is the one mask token.

    Tokenizers take it for punctuation.
    "go [MASK]!" has the ids of go, [MASK], !; starts [0, 3, 9]; ends [2, 9, 10]. The pieces
    between the masks are tokenized by themselves.
    """
    vocabulary = tokenizer.vocabulary
    mask_token = vocabulary.token_of(vocabulary.mask_id)
    mask_bytes = len(mask_token.encode())
    pieces = tf.strings.split(texts, mask_token)  # [B, pieces]; a text has one at least
    starts = part_starts(pieces, mask_bytes)
    ends = starts + tf.cast(tf.strings.length(pieces.flat_values), tf.int64)
    row_splits = tf.cast(pieces.row_splits, tf.int64)
    count = tf.shape(ends, tf.int64)[0]
    lasts = tf.scatter_nd(row_splits[1:, None], tf.ones_like(row_splits[1:]), [count + 1])[1:]
    masks = tf.boolean_mask(ends, lasts == 0)
    ids = tf.fill(tf.shape(masks), vocabulary.mask_id)
    parts = Parts(pieces.flat_values, row_splits, starts, ids, masks, masks + mask_bytes)
    return TokensWithOffsets(*parts.with_offsets(*tokens_of(tokenizer, pieces.flat_values)))
