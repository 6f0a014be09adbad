# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From strings to the rows a model reads, in the graph: cut, packed, padded to the longest."""

import typing

import tensorflow as tf

from electra_tf.text import pack_segments


class Tokens(typing.NamedTuple):
    """Ragged [B, tokens]: ids int32, and byte offsets in the strings int32."""

    ids: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor


def tokens_of(tokenizer, texts) -> Tokens:
    """Ids of texts [B] and the bytes that each stands for."""
    tokens = tokenizer.offsets(texts)
    return Tokens(
        tf.cast(tokens.ids, tf.int32),
        tf.cast(tokens.starts, tf.int32),
        tf.cast(tokens.ends, tf.int32),
    )


def kept_lengths(first, second, max_seq_length: int):
    """How many tokens of each text of a row fit, beside [CLS] and one [SEP] per filled text.

    A pair that is too long loses tokens of its longer text, of the second if both are of one
    length (classification_tasks.py:289-306).

    Args:
        first, second: numbers of tokens, int64 [B]; second is 0 where there is no second text.
    """
    room = max_seq_length - 2 - tf.cast(second > 0, tf.int64)
    larger_half = (room + 1) // 2
    return (
        tf.minimum(first, tf.maximum(larger_half, room - second)),
        tf.minimum(second, tf.maximum(room - larger_half, room - first)),
    )


def heads(ragged: tf.RaggedTensor, lengths: tf.Tensor) -> tf.RaggedTensor:
    """The first lengths[i] values of row i; no row is shorter."""
    starts = ragged.row_starts()
    places = tf.ragged.range(starts, starts + tf.cast(lengths, starts.dtype))
    return tf.RaggedTensor.from_row_splits(
        tf.gather(ragged.flat_values, places.flat_values), places.row_splits, validate=False
    )


def packed_batch(first, second, vocabulary) -> dict[str, tf.Tensor]:
    """`input_ids, input_mask, segment_ids` int32 [B, L], L the longest row, of rows that fit.

    Args:
        first, second: ragged ids; second may be None (see `pack_segments`).
    """
    packed = pack_segments(first, second, vocabulary.cls_id, vocabulary.sep_id)
    return {
        "input_ids": dense(packed.input_ids, vocabulary.pad_id),
        "input_mask": dense(tf.ones_like(packed.input_ids)),
        "segment_ids": dense(packed.segment_ids),
    }


def dense(ragged: tf.RaggedTensor, default=0) -> tf.Tensor:
    """Rows filled up to the longest, [B, longest]."""
    return ragged.to_tensor(default_value=tf.constant(default, ragged.dtype))


def text_batch(tokenizer, first, second, max_seq_length: int) -> dict[str, tf.Tensor]:
    """Rows of texts [B], or pairs of them (second is not None); what is too long is cut.

    An empty text is `[CLS] [SEP]`; an empty second text is left out with its `[SEP]`.
    """
    ids = tokenizer(first)
    others = None if second is None else tokenizer(second)
    counts = tf.zeros_like(ids.row_lengths()) if others is None else others.row_lengths()
    kept = kept_lengths(ids.row_lengths(), counts, max_seq_length)
    others = None if others is None else heads(others, kept[1])
    return packed_batch(heads(ids, kept[0]), others, tokenizer.vocabulary)


def in_chunks(function, batch: dict, rows_at_once: int) -> dict[str, tf.Tensor]:
    """`function` of a batch, a bounded number of rows at a time, so that memory is bounded too.

    Args:
        function: dict of [rows, ...] -> dict of [rows, ...], row by row.
    """
    rows = tf.shape(batch["input_ids"])[0]
    names = sorted(batch)
    first = {name: batch[name][:rows_at_once] for name in names}
    outputs = function(first)
    keys = sorted(outputs)

    def more(start, *_):
        return start < rows

    def body(start, *parts):
        chunk = {name: batch[name][start : start + rows_at_once] for name in names}
        found = function(chunk)
        joined = [tf.concat([part, found[key]], 0) for key, part in zip(keys, parts, strict=True)]
        return start + rows_at_once, *joined

    values = [outputs[key] for key in keys]
    shapes = [tf.TensorShape([None]).concatenate(value.shape[1:]) for value in values]
    _, *values = tf.while_loop(
        more,
        body,
        [tf.constant(rows_at_once), *values],
        shape_invariants=[tf.TensorShape([]), *shapes],
    )
    return dict(zip(keys, values, strict=True))
