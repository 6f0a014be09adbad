# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The rows of values in ragged tensors, and texts cut into parts that are joined again."""

import typing

import tensorflow as tf


def row_numbers(row_splits: tf.Tensor) -> tf.Tensor:
    """The row of every value: splits [0, 2, 2, 5] give [0, 0, 2, 2, 2].

    `RaggedTensor.value_rowids` says the same by way of a mask [rows, longest row], which takes too
    much time and memory where one of many rows is long.

    Args:
        row_splits: int64 [rows + 1].

    Returns:
        int64 [values].
    """
    starts = row_splits[1:-1, None]
    begun = tf.zeros([row_splits[-1] + 1], row_splits.dtype)
    begun = tf.tensor_scatter_nd_add(begun, starts, tf.ones_like(starts[:, 0]))
    return tf.cumsum(begun)[:-1]


def part_starts(parts: tf.RaggedTensor, separator_bytes: int) -> tf.Tensor:
    """Where each part of a split text begins in it, int64 [parts].

    Args:
        parts: strings [B, parts], as `tf.strings.split` gives them.
        separator_bytes: length of what stood between them.
    """
    lengths = tf.cast(tf.strings.length(parts.flat_values), tf.int64) + separator_bytes
    before = tf.cumsum(lengths, exclusive=True)
    row_splits = tf.cast(parts.row_splits, tf.int64)
    firsts = tf.gather(tf.concat([before, [0]], 0), row_splits[:-1])
    return before - tf.gather(firsts, row_numbers(row_splits))


class Parts(typing.NamedTuple):
    """The texts [B] without the tokens that stand in them, which no tokenizer is to see.

    A row of n tokens has n + 1 parts, which may be empty; a token stands behind each but the last.

    texts: string [parts], of all rows. row_splits: int64 [B + 1].
    starts: int64 [parts], the byte of the row's text at which each part begins.
    ids: int32 [tokens]; token_starts, token_ends: int64 [tokens], bytes of the row's text.
    """

    texts: tf.Tensor
    row_splits: tf.Tensor
    starts: tf.Tensor
    ids: tf.Tensor
    token_starts: tf.Tensor
    token_ends: tf.Tensor

    def with_ids(self, ids: tf.RaggedTensor) -> tf.RaggedTensor:
        """The ids of the parts [parts, n] and those of the tokens in order, ragged [B, n]."""
        return self._joined(ids, self.ids)

    def with_offsets(
        self, ids: tf.RaggedTensor, starts: tf.RaggedTensor, ends: tf.RaggedTensor
    ) -> tuple[tf.RaggedTensor, tf.RaggedTensor, tf.RaggedTensor]:
        """Likewise, with offsets that count from the part's begin given, from the text's returned.

        Of "go [X]!" with the token [X] = 9, the parts "go " and "!" with the ids [[7], [8]], the
        starts [[0], [0]] and the ends [[2], [1]] give [7, 9, 8]; [0, 3, 6]; [2, 6, 7].
        """
        shift = tf.gather(self.starts, row_numbers(tf.cast(ids.row_splits, tf.int64)))
        moved = [
            offsets.with_flat_values(offsets.flat_values + tf.cast(shift, offsets.dtype))
            for offsets in (starts, ends)
        ]
        return (
            self._joined(ids, self.ids),
            self._joined(moved[0], self.token_starts),
            self._joined(moved[1], self.token_ends),
        )

    def _joined(self, of_parts: tf.RaggedTensor, of_tokens: tf.Tensor) -> tf.RaggedTensor:
        count = tf.shape(self.texts, tf.int64)[0]
        lasts = tf.scatter_nd(
            self.row_splits[1:, None], tf.ones_like(self.row_splits[1:]), [count + 1]
        )[1:]
        has_token = lasts == 0
        splits = tf.cast(of_parts.row_splits, tf.int64)
        ends = splits[1:] + tf.cumsum(tf.cast(has_token, tf.int64))
        token_places = tf.boolean_mask(ends, has_token) - 1
        before = tf.cumsum(tf.cast(has_token, tf.int64), exclusive=True)
        values = of_parts.flat_values
        places = tf.range(tf.shape(values, tf.int64)[0]) + tf.gather(before, row_numbers(splits))
        joined = tf.scatter_nd(
            tf.concat([places, token_places], 0)[:, None],
            tf.concat([values, tf.cast(of_tokens, values.dtype)], 0),
            [tf.shape(values)[0] + tf.shape(of_tokens)[0]],
        )
        row_ends = tf.gather(tf.concat([[0], ends], 0), self.row_splits)
        return tf.RaggedTensor.from_row_splits(joined, row_ends, validate=False)
