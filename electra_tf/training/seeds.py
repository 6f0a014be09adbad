# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Random numbers without state: every seed follows from (run seed, stream, step, replica)."""

import enum

import tensorflow as tf


class Stream(enum.IntEnum):
    """What random numbers are for; streams never share seeds."""

    TRAINING = 0
    EVALUATION = 1


def step_seed(
    seed: int, stream: Stream, step: tf.Tensor, replica: tf.Tensor | int = 0
) -> tf.Tensor:
    """The seed of one step on one replica, int64 [2].

    Args:
        seed: of the run.
        stream: what the numbers are for.
        step: int [], number of the step.
        replica: int [], number of the replica.
    """
    folded = tf.constant([seed % 2**31, stream], tf.int32)
    for number in (step, replica):
        folded = fold_in(folded, tf.cast(number, tf.int64))
    return folded


def fold_in(seed: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    """A seed int32 [2] that follows from another one and a number."""
    # Left to itself, XLA takes another algorithm for negative seeds.
    return tf.random.experimental.stateless_fold_in(seed, number, alg="philox")


def replica_id() -> tf.Tensor | int:
    """Number of the replica that runs this code; 0 outside of a strategy."""
    context = tf.distribute.get_replica_context()
    return 0 if context is None else context.replica_id_in_sync_group


def sum_over_replicas(tensors: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Sums of a structure of tensors over the replicas of the step."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return tensors
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tensors)
