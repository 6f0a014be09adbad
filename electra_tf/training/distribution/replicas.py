# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Replicas: rows shared out to them and collected from them, and sums over them."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from electra_tf.seeds import replica_id


def sum_over_replicas(tensors: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Sums of a structure of tensors over the replicas of the step."""
    if not is_spread():
        return tensors
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tensors)


def is_spread() -> bool:
    """Whether this is a replica of several."""
    context = tf.distribute.get_replica_context()
    return context is not None and context.num_replicas_in_sync > 1


def rows_of_all_replicas(tensors: Sequence[tf.Tensor]) -> tuple[list[tf.Tensor], tf.Tensor]:
    """The rows of the global batch, and the number of the first one of this replica, of several.

    Gradients flow to the rows on the replicas that they come from. It cannot be part of what XLA
    compiles.

    Args:
        tensors: of floats, [rows, ...]; replicas may have different numbers of rows.

    Returns:
        The tensors [rows of all replicas, ...] in the order of the replicas, and int32 [].
    """
    count = tf.cast(tf.shape(tensors[0])[:1], tf.float32)
    context = tf.distribute.get_replica_context()
    *gathered, counts = (context.all_gather(each, axis=0) for each in (*tensors, count))
    is_before = tf.range(tf.size(counts)) < replica_id()
    return gathered, tf.cast(tf.reduce_sum(tf.where(is_before, counts, 0.0)), tf.int32)


def is_distributed(strategy: tf.distribute.Strategy) -> bool:
    """Whether it is other than TensorFlow's default, which leaves everything to one device."""
    with strategy.scope():
        return tf.distribute.has_strategy()


def rows_of_replica(
    batch: Mapping[str, tf.Tensor], rows: int, replicas_each: int
) -> dict[str, tf.Tensor]:
    """The rows of the replica that calls this.

    With 2 replicas in each process and 3 rows a replica, replica 3 has rows 3 to 5 of what its
    process was given.

    Args:
        batch: the rows of this process, [replicas_each * rows, ...].
        rows: of a replica.
        replicas_each: replicas of a process.
    """
    first = replica_id() % replicas_each * rows
    return {
        name: tf.slice(tensor, [first, *[0] * (tensor.shape.rank - 1)], [rows, *tensor.shape[1:]])
        for name, tensor in batch.items()
    }


def gather_rows(
    strategy: tf.distribute.Strategy, values: Mapping[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    """Rows of all replicas of all processes, one after the other, on every process.

    Args:
        strategy: of the replicas.
        values: what `strategy.run` returned, of any number type; [rows, ...] on each replica.
    """
    gathered = {}
    for name, value in values.items():
        local = strategy.experimental_local_results(value)
        # What sends tensors between GPUs takes neither bool nor int32.
        dtype = local[0].dtype
        as_floats = strategy.run(lambda tensor: tf.cast(tensor, tf.float32), args=(value,))
        gathered[name] = tf.cast(strategy.gather(as_floats, axis=0), dtype)
    return gathered
