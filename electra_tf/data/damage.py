# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Where records are damaged, when reading them has failed.

TensorFlow's readers say that something is wrong, but not in which of thousands of files.
"""

import re
from collections.abc import Sequence

import tensorflow as tf

from electra_tf.data import spec

_RECORDS_AT_ONCE = 1024
_DETAILS_OF_THE_GRAPH = re.compile(r"\{\{.*?\}\}|\[Op:.*", re.DOTALL)

READING_ERRORS = (tf.errors.DataLossError, tf.errors.InvalidArgumentError)


def find_damage(
    files: Sequence[str], max_seq_length: int, features: Sequence[str] = ()
) -> str | None:
    """Reads files until a record cannot be read or parsed.

    Args:
        files: paths.
        max_seq_length: L of the reader.
        features: optional features that the records should have.

    Returns:
        A sentence that names the file, the record (from 0) and what is wrong; None if nothing is.
    """
    for file in files:
        sound = _sound_records(file, _RECORDS_AT_ONCE, 0, max_seq_length, features)[0]
        number, problem = _sound_records(file, 1, sound, max_seq_length, features)
        if problem:
            return f"{file}: record {number} cannot be read: {problem}"
    return None


def _sound_records(
    file: str, step: int, first: int, max_seq_length: int, features: Sequence[str]
) -> tuple[int, str]:
    """How many records come before the first group of `step` with a problem; and the problem."""
    number = first
    try:
        for serialized in tf.data.TFRecordDataset(file).skip(first).batch(step):
            spec.parse(serialized, max_seq_length, features)
            number += int(serialized.shape[0])
    except READING_ERRORS as error:
        return number, _DETAILS_OF_THE_GRAPH.sub("", error.message).strip()
    return number, ""
