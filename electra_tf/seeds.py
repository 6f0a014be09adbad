# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Seeds of random numbers, int32 [2].

In runs they have no state: every seed follows from (run seed, stream, step, replica).
"""

import enum

import keras
import tensorflow as tf

# Left to itself, XLA takes another algorithm for negative seeds.
_ALGORITHM = "philox"


class Stream(enum.IntEnum):
    """What random numbers are for; streams never share seeds."""

    TRAINING = 0
    EVALUATION = 1


def step_seed(
    seed: int, stream: Stream, step: tf.Tensor, replica: tf.Tensor | int = 0
) -> tf.Tensor:
    """The seed of one step on one replica, int32 [2].

    Args:
        seed: of the run.
        stream: what the numbers are for.
        step: int [], number of the step.
        replica: int [], number of the replica.
    """
    folded = tf.constant([seed % 2**31, stream], tf.int32)
    for number in (step, replica):
        folded = fold_in(folded, number)
    return folded


class SeedSource:
    """Draws seeds for layers that are called without one, by a `keras.random.SeedGenerator`.

    Its state is not among the variables of the layer that has it, so that weights, checkpoints and
    exports hold the model alone. `keras.utils.set_random_seed` makes it repeatable.
    """

    def __init__(self):
        self._generator = keras.random.SeedGenerator()

    def next(self) -> tf.Tensor:
        """Another seed at each call and on each replica; what Keras draws is the same on all."""
        return fold_in(tf.cast(self._generator.next(), tf.int32), replica_id())


def fold_in(seed: tf.Tensor, number: tf.Tensor | int) -> tf.Tensor:
    """A seed that follows from another one and a number."""
    number = tf.cast(number, tf.int64)
    return tf.random.experimental.stateless_fold_in(seed, number, alg=_ALGORITHM)


def split_seed(seed: tf.Tensor, count: int) -> list[tf.Tensor]:
    """`count` seeds that follow from one."""
    return tf.unstack(tf.random.experimental.stateless_split(seed, count, alg=_ALGORITHM))


def replica_id() -> tf.Tensor | int:
    """Number of the replica that runs this code; 0 outside of a strategy."""
    context = tf.distribute.get_replica_context()
    return 0 if context is None else context.replica_id_in_sync_group
