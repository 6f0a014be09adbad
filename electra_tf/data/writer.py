# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Writing files that are complete or not there: one shard of records, or a small file at once."""

import os
import platform
import random
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from electra_tf.data import spec
from electra_tf.data.spec import Rows
from electra_tf.files import new_file, writing

_SHUFFLE_BYTES = 256 << 20
"""Examples of a shard are shuffled in blocks of this size, which bounds the memory needed."""


class ShardWriter:
    """Collects a shard's examples; nothing stands under the final name before `finish`.

    Used in a `with` statement, it removes what it wrote if that ends before `finish`.

    Attributes:
        length_counts: int64 [max_seq_length + 1], examples by length.
    """

    def __init__(self, path: str, max_seq_length: int, rng: random.Random):
        self.path = path
        self.length_counts = np.zeros(max_seq_length + 1, dtype=np.int64)
        self._rng = rng
        self._records: list[bytes] = []
        self._size = 0
        self._partial = partial_name(path)
        self._writer = writing(self._partial, tf.io.TFRecordWriter, self._partial)

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._writer is not None:
            _discard(self._partial, self._writer.close)

    def add(self, features: dict[str, Rows]) -> None:
        """Adds examples: rows by feature name."""
        records = spec.serialize(features)
        lengths = np.diff(next(iter(features.values())).splits)
        self.length_counts += np.bincount(lengths, minlength=len(self.length_counts))
        self._records += records
        self._size += sum(map(len, records))
        if self._size >= _SHUFFLE_BYTES:
            self._write()

    def finish(self) -> int:
        """Writes the rest and gives the file its name; returns its size in bytes."""
        self._write()
        writing(self._partial, self._writer.close)
        self._writer = None
        writing(self.path, tf.io.gfile.rename, self._partial, self.path, overwrite=True)
        return tf.io.gfile.stat(self.path).length

    def _write(self) -> None:
        self._rng.shuffle(self._records)
        for record in self._records:
            writing(self._partial, self._writer.write, record)
        self._records, self._size = [], 0


def write_file(path: str, *contents: bytes) -> None:
    """Writes a file under a temporary name and renames it.

    Raises:
        OSError: naming the file; nothing is left of it then.
    """
    with new_file(path, "wb", partial_name(path)) as file:
        for content in contents:
            file.write(content)


def partial_name(path: str) -> str:
    """Where a file is written before it gets its name.

    Workers of a build that was killed live on for a moment, beside those that continue it, and
    other machines may do a share of the work.
    """
    return f"{path}.{platform.node()}-{os.getpid()}.partial"


def remove_partial(folder: str) -> None:
    """Removes what interrupted writers left."""
    for name in tf.io.gfile.listdir(folder):
        if name.endswith(".partial"):
            tf.io.gfile.remove(os.path.join(folder, name))


def _discard(partial: str, close: Callable[[], None]) -> None:
    """Closes and removes a file; on a full disk closing fails once more."""
    try:
        close()
    except tf.errors.OpError:
        pass
    if tf.io.gfile.exists(partial):
        tf.io.gfile.remove(partial)
