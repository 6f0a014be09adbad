# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""tf.data pipelines over pre-training records: endless for training, one pass for evaluation."""

import tensorflow as tf

from electra_tf.data import spec
from electra_tf.data.bucketing import Span, bucket_of, pool_at, pooled_batches
from electra_tf.data.order import SHUFFLE_BUFFER, EpochOrder

_MAX_OPEN_FILES = 16
_INTERLEAVE_BLOCK = 8
_READ_BUFFER_BYTES = 1 << 20
_GRAPH_SEED = 1  # not 0: tf.data then compares the other seed, a tensor, as a Python value


def training_batches(
    files: tuple[str, ...],
    order: EpochOrder,
    batch_size: int,
    max_seq_length: int,
    features: tuple[str, ...],
    start: int,
    worker_index: int,
    num_workers: int,
    buckets: tuple[int, ...],
    span: Span,
) -> tf.data.Dataset:
    """Batches in the given order; B = batch_size / num_workers rows of each global batch.

    `features` are the optional ones that the records have. With `buckets`, lengths in tokens,
    batches are made and cut as `bucketing` says. They end with the span, if it has an end.

    Records stay serialized until the batch is cut, so that a worker parses its own rows only.
    """
    first = pool_at(start, batch_size, span).begin if buckets else start
    position = order.position(first)
    skip = tf.constant(position.skip, tf.int64)
    rows = batch_size // num_workers

    def window_records(window: tf.Tensor) -> tf.data.Dataset:
        # `shuffle` mixes the graph's seed with its own; a fixed one here keeps the order free of
        # whatever seed the program has set.
        tf.compat.v1.set_random_seed(_GRAPH_SEED)
        records = tf.data.Dataset.from_tensor_slices(
            tf.gather(tf.constant(files), order.shards_of(window))
        ).interleave(
            _read,
            cycle_length=min(order.shards_per_window, _MAX_OPEN_FILES),
            block_length=_INTERLEAVE_BLOCK,
        )
        records = records.shuffle(
            SHUFFLE_BUFFER, seed=order.shuffle_seed_of(window), reshuffle_each_iteration=False
        )
        return records.skip(skip * tf.cast(window == position.window, tf.int64))

    def parse_own_rows(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        own = serialized[worker_index * rows : (worker_index + 1) * rows]
        return spec.parse(own, max_seq_length, features)

    def parse_and_cut(serialized: tf.Tensor, longest: tf.Tensor) -> dict[str, tf.Tensor]:
        length = bucket_of(longest, buckets, max_seq_length)
        return {name: rows[:, :length] for name, rows in parse_own_rows(serialized).items()}

    dataset = tf.data.Dataset.range(position.window, tf.int64.max).flat_map(window_records)
    if buckets:
        dataset = pooled_batches(dataset, batch_size, start, order.seed, span)
        dataset = dataset.map(parse_and_cut, num_parallel_calls=tf.data.AUTOTUNE)
    else:
        dataset = dataset.batch(batch_size, drop_remainder=True)
        if span.end is not None:
            dataset = dataset.take((span.end - start) // batch_size)
        dataset = dataset.map(parse_own_rows, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.prefetch(tf.data.AUTOTUNE).with_options(_options())


def evaluation_batches(
    files: tuple[str, ...], batch_size: int, max_seq_length: int, features: tuple[str, ...]
) -> tf.data.Dataset:
    """All records once in file order; rows of zeros fill up the last batch."""

    def parse_and_fill(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = spec.parse(serialized, max_seq_length, features)
        missing = batch_size - tf.shape(serialized)[0]
        return {
            name: tf.ensure_shape(
                tf.pad(rows, [[0, missing], [0, 0]]), [batch_size, max_seq_length]
            )
            for name, rows in batch.items()
        }

    dataset = tf.data.Dataset.from_tensor_slices(list(files)).flat_map(_read).batch(batch_size)
    dataset = dataset.map(parse_and_fill, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.prefetch(tf.data.AUTOTUNE).with_options(_options())


def _read(file: tf.Tensor) -> tf.data.Dataset:
    return tf.data.TFRecordDataset(file, buffer_size=_READ_BUFFER_BYTES)


def _options() -> tf.data.Options:
    options = tf.data.Options()
    options.deterministic = True
    # A worker takes its rows by index; files must not be divided once more.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return options
