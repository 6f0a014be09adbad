# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The features of a pre-training record: one declaration that both writes and parses them."""

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class Feature:
    """One list of integers per record, aligned with the tokens."""

    name: str
    """Name in the record and in the parsed batch."""
    absent: int | None = None
    """Value of every token where a record lacks the list; None where it must be there."""
    written: bool = True
    """Whether our own records store it."""


# The reference stores all three, padded to max_seq_length (pretrain/pretrain_data.py:46-50). Ours
# store no padding, so that the mask follows from the number of tokens.
FEATURES = (
    Feature("input_ids"),
    Feature("input_mask", absent=1, written=False),
    Feature("segment_ids"),
)
OPTIONAL_FEATURES = (
    Feature("word_starts"),  # 1 where a token begins a word or is a special one
    Feature("position_ids"),  # from 0 in each of the examples packed in a sequence
    Feature("sequence_ids"),  # number of the packed example, from 1
)
"""Of some sets of records; their manifest says which."""


class Rows(NamedTuple):
    """Integer rows of different lengths on the host: row i is `values[splits[i]:splits[i + 1]]`."""

    values: np.ndarray
    splits: np.ndarray


def serialize(features: Mapping[str, Rows]) -> list[bytes]:
    """Encodes rows as `tf.train.Example` messages, one per row.

    The encoding is written out because building message objects costs ten times as much as
    everything else in the record writer; a test compares it with what TensorFlow reads.

    Args:
        features: rows of non-negative integers for every written feature, and for those that are
            optional if wanted; all with the same row lengths.

    Raises:
        ValueError: for missing or unknown features, or rows that do not fit together.
    """
    names = [feature.name for feature in FEATURES if feature.written]
    names += [feature.name for feature in OPTIONAL_FEATURES if feature.name in features]
    if sorted(features) != sorted(names):
        raise ValueError(f"A record has the features {sorted(names)}; received {sorted(features)}.")
    reference = np.asarray(features[names[0]].splits)
    records = [b""] * (len(reference) - 1)
    for name in names:
        rows = features[name]
        if not np.array_equal(rows.splits, reference):
            raise ValueError(f"The rows of `{name}` differ in length from those of `{names[0]}`.")
        entries = _encode_entries(name, rows)
        records = [head + entry for head, entry in zip(records, entries, strict=True)]
    return [_prefix(b"\x0a", len(record)) + record for record in records]


def parse(
    serialized: tf.Tensor, max_seq_length: int, optional: Sequence[str] = ()
) -> dict[str, tf.Tensor]:
    """Parses a batch of serialized records of ours or of the reference, and pads them.

    Args:
        serialized: strings [B].
        max_seq_length: L, the length to pad to with zeros.
        optional: names of the optional features that all of the records have.

    Returns:
        int32 [B, L] by feature name.

    Raises:
        tf.errors.InvalidArgumentError: for a string that is no record, a record without tokens or
            with lists of different lengths, or one that is longer than L: it is never cut.
    """
    features = FEATURES + tuple(f for f in OPTIONAL_FEATURES if f.name in optional)
    rows = tf.io.parse_example(
        serialized, {f.name: tf.io.RaggedFeature(tf.int64) for f in features}
    )
    lengths = rows[FEATURES[0].name].row_lengths()
    with tf.control_dependencies(_checks(features, rows, lengths, max_seq_length)):
        lengths = tf.identity(lengths)
    return {f.name: _padded(f, rows[f.name], lengths, max_seq_length) for f in features}


def length(record: tf.Tensor) -> int:
    """Number of values per list of one serialized record, its padding included."""
    name = FEATURES[0].name
    return int(
        tf.io.parse_single_example(record, {name: tf.io.RaggedFeature(tf.int64)})[name].shape[0]
    )


def num_tokens(serialized: tf.Tensor) -> tf.Tensor:
    """Tokens of each of some records [B], their padding left out: int32 [B]."""
    names = ("input_ids", "input_mask")
    rows = tf.io.parse_example(serialized, {name: tf.io.RaggedFeature(tf.int64) for name in names})
    mask = rows["input_mask"]
    lengths = tf.cast(rows["input_ids"].row_lengths(), tf.int32)
    return tf.where(mask.row_lengths() > 0, tf.cast(tf.reduce_sum(mask, axis=1), tf.int32), lengths)


def _checks(
    features: Sequence[Feature],
    rows: Mapping[str, tf.RaggedTensor],
    lengths: tf.Tensor,
    max_seq_length: int,
) -> list[tf.Operation]:
    longest = tf.reduce_max(lengths)
    checks = [
        tf.debugging.Assert(
            longest <= max_seq_length,
            [f"A record is longer than max_seq_length={max_seq_length}; its length is", longest],
        ),
        tf.debugging.Assert(
            tf.reduce_min(lengths) > 0,
            [f"A record has no `{FEATURES[0].name}`: these files are not pre-training records."],
        ),
    ]
    for feature in features[1:]:
        row_lengths = rows[feature.name].row_lengths()
        fits = row_lengths == lengths
        if feature.absent is not None:
            fits |= row_lengths == 0
        checks.append(
            tf.debugging.Assert(
                tf.reduce_all(fits),
                [f"A record's `{feature.name}` and `{FEATURES[0].name}` differ in length."],
            )
        )
    return [check for check in checks if check is not None]  # eager assertions return nothing


def _padded(
    feature: Feature, rows: tf.RaggedTensor, lengths: tf.Tensor, max_seq_length: int
) -> tf.Tensor:
    dense = tf.cast(rows, tf.int32).to_tensor(shape=[None, max_seq_length])
    if feature.absent is not None:
        filled = feature.absent * tf.sequence_mask(lengths, max_seq_length, dtype=tf.int32)
        dense = tf.where(rows.row_lengths()[:, tf.newaxis] > 0, dense, filled)
    return dense


# Example { Features features = 1 { map<string, Feature> feature = 1 } }; a map entry holds its key
# in field 1 and its value in field 2; Feature { Int64List int64_list = 3 { packed value = 1 } }.


def _encode_entries(name: str, rows: Rows) -> list[bytes]:
    """The map entry of one feature for every row."""
    encoded, sizes = _varints(np.asarray(rows.values))
    ends = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])[rows.splits]
    blob, bounds = encoded.tobytes(), ends.tolist()
    return [
        _entry_prefix(name, end - start) + blob[start:end]
        for start, end in itertools.pairwise(bounds)
    ]


@functools.lru_cache(maxsize=8192)
def _entry_prefix(name: str, size: int) -> bytes:
    """All bytes of a map entry that stand before `size` bytes of values."""
    prefix, key = _prefix(b"\x0a", size), name.encode()
    prefix = _prefix(b"\x1a", len(prefix) + size) + prefix
    prefix = _prefix(b"\x0a", len(key)) + key + _prefix(b"\x12", len(prefix) + size) + prefix
    return _prefix(b"\x0a", len(prefix) + size) + prefix


@functools.lru_cache(maxsize=8192)
def _prefix(tag: bytes, size: int) -> bytes:
    encoded, _ = _varints(np.array([size]))
    return tag + encoded.tobytes()


def _varints(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Protobuf's variable-length integers: the bytes of all values, and each value's size."""
    largest = int(values.max(initial=0))
    if values.size and int(values.min()) < 0:
        raise ValueError(f"A record holds non-negative integers only; received {values.min()}.")
    values = values.astype(np.uint16 if largest < 1 << 16 else np.uint64)  # less to move
    sizes = np.ones(len(values), dtype=np.uint8)
    encoded = np.empty((len(values), max(1, -(-largest.bit_length() // 7))), dtype=np.uint8)
    encoded[:, 0] = values & 0x7F
    for place in range(1, encoded.shape[1]):
        rest = values >> (7 * place)
        more = rest > 0
        encoded[:, place - 1] |= more.view(np.uint8) << 7
        encoded[:, place] = rest & 0x7F
        sizes += more
    return encoded[np.arange(encoded.shape[1]) < sizes[:, np.newaxis]], sizes
