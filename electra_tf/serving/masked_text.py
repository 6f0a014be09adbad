# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Texts in which "[MASK]" stands for a missing token; tokenizers take it for punctuation."""

import tensorflow as tf

from electra_tf.text import Tokenizer, TokensWithOffsets
from electra_tf.text.parts import Parts
from electra_tf.text.ragged import part_starts


def tokens_of(tokenizer: Tokenizer, texts: tf.Tensor) -> TokensWithOffsets:
    """Ids of texts [B] and the bytes that each stands for, all int32."""
    return TokensWithOffsets(*(tf.cast(column, tf.int32) for column in tokenizer.offsets(texts)))


def tokens_of_masked(tokenizer: Tokenizer, texts: tf.Tensor) -> TokensWithOffsets:
    """As `tokens_of`, but each "[MASK]" in the texts is the one mask token.

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
