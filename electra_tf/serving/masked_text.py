# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Texts in which "[MASK]" stands for a missing token; tokenizers take it for punctuation."""

import tensorflow as tf

from electra_tf.serving.rows import Tokens, tokens_of


def tokens_of_masked(tokenizer, texts) -> Tokens:
    """As `tokens_of`, but each "[MASK]" in the texts is the one mask token.

    "go [MASK]!" has the ids of go, [MASK], !; starts [0, 3, 9]; ends [2, 9, 10]. The pieces
    between the masks are tokenized by themselves.
    """
    vocabulary = tokenizer.vocabulary
    mask_token = vocabulary.token_of(vocabulary.mask_id)
    parts = tf.strings.split(texts, mask_token)  # [B, parts]
    row_splits = tf.cast(parts.row_splits, tf.int64)
    part_starts = _part_starts(parts.flat_values, row_splits, len(mask_token.encode()))
    masks = _Masks(parts.flat_values, row_splits, part_starts, len(mask_token.encode()))

    found = tokens_of(tokenizer, parts.flat_values)
    shift = tf.gather(part_starts, found.ids.value_rowids())
    columns = (
        (found.ids.flat_values, tf.fill(tf.shape(masks.starts), vocabulary.mask_id)),
        (found.starts.flat_values + shift, masks.starts),
        (found.ends.flat_values + shift, masks.ends),
    )
    return Tokens(*(masks.behind_parts(found.ids, *column) for column in columns))


class _Masks:
    """The masks of all texts: one behind every part but a text's last."""

    def __init__(self, parts, row_splits, part_starts, mask_bytes):
        self._row_splits = row_splits
        count = tf.shape(parts, tf.int64)[0]
        last = tf.scatter_nd(row_splits[1:, None], tf.ones_like(row_splits[1:]), [count + 1])
        self._has_mask = last[1:] == 0  # [parts]; a text has one part at least
        starts = part_starts + tf.strings.length(parts)
        self.starts = tf.boolean_mask(starts, self._has_mask)
        self.ends = self.starts + mask_bytes

    def behind_parts(self, tokens, values, of_masks):
        """Ragged [B, tokens] of the values of tokens of all parts and of the masks, in order."""
        counts = tokens.row_lengths()
        is_mask = tf.cast(self._has_mask, tf.int64)
        ends = tf.cumsum(counts + is_mask)
        mask_places = tf.boolean_mask(ends, self._has_mask) - 1
        before = tf.cumsum(is_mask, exclusive=True)
        places = tf.range(tf.shape(values, tf.int64)[0]) + tf.gather(before, tokens.value_rowids())
        size = tf.shape(values)[0] + tf.shape(of_masks)[0]
        joined = tf.scatter_nd(
            tf.concat([places, mask_places], 0)[:, None],
            tf.concat([values, of_masks], 0),
            [size],
        )
        splits = tf.gather(tf.concat([[0], ends], 0), self._row_splits)
        return tf.RaggedTensor.from_row_splits(joined, splits, validate=False)


def _part_starts(parts, row_splits, mask_bytes):
    """Where each part begins in its text, int32 [parts]."""
    lengths = tf.strings.length(parts) + mask_bytes
    before = tf.concat([[0], tf.cumsum(lengths)], 0)
    counts = row_splits[1:] - row_splits[:-1]
    return before[:-1] - tf.repeat(tf.gather(before, row_splits[:-1]), counts)
