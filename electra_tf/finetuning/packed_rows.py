# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Rows of token ids as the padded arrays that a model reads."""

import numpy as np

from electra_tf.text import pack_segments


def packed_rows(first, second, vocabulary, max_seq_length):
    """Returns `input_ids, input_mask, segment_ids`, int32 [n, L], of rows that fit.

    first: ragged int [n, tokens]; second: the same or None (see `pack_segments`).
    """
    packed = pack_segments(first, second, vocabulary.cls_id, vocabulary.sep_id)
    lengths = packed.input_ids.row_lengths().numpy()
    shape = (len(lengths), max_seq_length)
    mask = np.arange(max_seq_length)[None, :] < lengths[:, None]
    arrays = {"input_ids": np.full(shape, vocabulary.pad_id, np.int32)}
    arrays["input_ids"][mask] = packed.input_ids.flat_values.numpy()
    arrays["input_mask"] = mask.astype(np.int32)
    arrays["segment_ids"] = np.zeros(shape, np.int32)
    arrays["segment_ids"][mask] = packed.segment_ids.flat_values.numpy()
    return arrays


def ragged_ranges(starts, lengths):
    """Returns the integers of all ranges one after the other, int64.

    ragged_ranges([5, 0], [2, 3]) is [5, 6, 0, 1, 2].
    """
    starts, lengths = np.asarray(starts, np.int64), np.asarray(lengths, np.int64)
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(lengths.sum())
