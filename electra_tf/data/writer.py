# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Writing one shard: examples are collected, shuffled and written under a temporary name."""

import os
import random

import numpy as np
import tensorflow as tf

from electra_tf.data import spec
from electra_tf.data.spec import Rows

_SHUFFLE_BYTES = 256 << 20
"""Examples of a shard are shuffled in blocks of this size, which bounds the memory needed."""


class ShardWriter:
    """Collects a shard's examples; nothing stands under the final name before `finish`.

    Attributes:
        length_counts: int64 [max_seq_length + 1], examples by length.
    """

    def __init__(self, path: str, max_seq_length: int, rng: random.Random):
        self.path = path
        self.length_counts = np.zeros(max_seq_length + 1, dtype=np.int64)
        self._rng = rng
        self._records: list[bytes] = []
        self._size = 0
        # Workers of a build that was killed live on for a moment, beside those that continue it.
        self._partial = f"{path}.{os.getpid()}.partial"
        self._file = _Output(self._partial)

    def add(self, features: dict[str, Rows]) -> None:
        """Adds examples: rows by feature name."""
        records = spec.serialize(features)
        lengths = np.diff(next(iter(features.values())).splits)
        self.length_counts += np.bincount(lengths, minlength=len(self.length_counts))
        self._records += records
        self._size += sum(map(len, records))
        if self._size >= _SHUFFLE_BYTES:
            self._write()

    def finish(self) -> None:
        """Writes the rest and gives the file its name."""
        self._write()
        self._file.close()
        tf.io.gfile.rename(self._partial, self.path, overwrite=True)

    def _write(self) -> None:
        self._rng.shuffle(self._records)
        self._file.write(self._records)
        self._records, self._size = [], 0


class _Output:
    """A TFRecord file whose failures name it."""

    def __init__(self, path: str):
        self._path = path
        self._writer = self._guarded(tf.io.TFRecordWriter, path)

    def write(self, records: list[bytes]) -> None:
        for record in records:
            self._guarded(self._writer.write, record)

    def close(self) -> None:
        self._guarded(self._writer.close)

    def _guarded(self, call, *arguments):
        try:
            return call(*arguments)
        except tf.errors.OpError as error:
            raise OSError(f"Cannot write {self._path}: {error.message}") from error


def remove_partial(folder: str) -> None:
    """Removes what interrupted writers left."""
    for name in tf.io.gfile.listdir(folder):
        if name.endswith(".partial"):
            tf.io.gfile.remove(os.path.join(folder, name))
