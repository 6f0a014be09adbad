# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import itertools

import tensorflow as tf

from electra_tf.seeds import Stream, replica_id, step_seed


def seeds_of(runs=(0, 1), steps=range(20), replicas=range(4)):
    return {
        (run, stream, step, replica): tuple(
            step_seed(run, stream, tf.constant(step), replica).numpy().tolist()
        )
        for run, stream, step, replica in itertools.product(runs, Stream, steps, replicas)
    }


def test_different_everywhere_and_the_same_when_repeated():
    seeds = seeds_of()
    assert len(set(seeds.values())) == len(seeds)
    assert seeds_of() == seeds


def test_dtype_shape_and_large_numbers():
    seed = step_seed(2**40 + 1, Stream.TRAINING, tf.constant(10**12, tf.int64))
    assert (seed.dtype, seed.shape) == (tf.int64, (2,))


def test_replicas_differ_inside_a_strategy(two_replicas):
    seeds = two_replicas.run(
        tf.function(lambda: step_seed(3, Stream.TRAINING, tf.constant(5), replica_id()))
    )
    found = [tuple(seed.numpy()) for seed in two_replicas.experimental_local_results(seeds)]
    assert found == [
        tuple(step_seed(3, Stream.TRAINING, tf.constant(5), replica).numpy()) for replica in (0, 1)
    ]
