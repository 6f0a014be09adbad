# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Where records are damaged, when reading them has failed.

TensorFlow's readers say that something is wrong, but not in which of thousands of files.
"""

import bisect
import contextlib
import re
from collections.abc import Iterator, Sequence

import tensorflow as tf

from electra_tf.data import spec

_RECORDS_AT_ONCE = 1024
_DETAILS_OF_THE_GRAPH = re.compile(r"\[?\[?\{\{.*?\}\}\]?\]?|\[\[\]\]|\[Op:.*", re.DOTALL)

READING_ERRORS = (
    tf.errors.DataLossError,
    tf.errors.InvalidArgumentError,
    UnicodeDecodeError,  # of TensorFlow, where its message quotes bytes of the record
)


def find_damage(
    files: Sequence[str],
    max_seq_length: int,
    features: Sequence[str] = (),
    is_framing: bool = False,
) -> str | None:
    """Reads files until a record cannot be read or parsed.

    Args:
        files: paths.
        max_seq_length: L of the reader.
        features: optional features that the records should have.
        is_framing: whether a checksum was wrong, so that nothing needs to be parsed.

    Returns:
        A sentence that names the file, the record (from 0), what is wrong and what to do; None if
        nothing is.
    """
    parse = tf.function(
        lambda serialized: spec.parse(serialized, max_seq_length, features),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )

    def problem(serialized: tf.Tensor) -> Exception | None:
        try:
            parse(serialized)
        except READING_ERRORS as error:
            return error
        return None

    for file in files:
        number = 0
        try:
            for serialized in tf.data.TFRecordDataset(file).batch(_RECORDS_AT_ONCE):
                if not is_framing and problem(serialized):
                    beginnings = range(1, len(serialized))
                    first = bisect.bisect(
                        beginnings, False, key=lambda n: problem(serialized[:n]) is not None
                    )
                    error = problem(serialized[first : first + 1])
                    return damage_at(file, number + first, error)
                number += len(serialized)
        except READING_ERRORS as error:
            # Of the records that were to come with the damaged one, most are sound.
            return damage_at(file, number + _sound_records(file, number), error)
    return None


def first_records(
    files: Sequence[str], count: int
) -> Iterator[tuple[str, int, dict[str, tf.Tensor]]]:
    """The first records in file order: file, number in it, and features as `spec.parse` has them.

    Raises:
        ValueError: naming the file and the record, for a damaged one.
    """
    for file in files:
        number = 0
        try:
            for record in tf.data.TFRecordDataset(file).take(count):
                yield file, number, spec.parse(record[tf.newaxis], spec.length(record))
                number += 1
        except READING_ERRORS as error:
            raise ValueError(damage_at(file, number, error)) from error
        count -= number


def damage_at(file: str, number: int, error: Exception) -> str:
    """A sentence on a record that cannot be read, and what to do."""
    problem = "it is no example of TensorFlow's"
    if not isinstance(error, UnicodeDecodeError):
        problem = " ".join(_DETAILS_OF_THE_GRAPH.sub("", error.message).split())
    return f"{file}: record {number} cannot be read: {problem}. Copy or build the records again."


def _sound_records(file: str, first: int) -> int:
    """How many records from number `first` on come before one that cannot be read."""
    number = 0
    with contextlib.suppress(*READING_ERRORS):
        for _ in tf.data.TFRecordDataset(file).skip(first):
            number += 1
    return number
