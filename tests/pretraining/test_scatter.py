# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import tensorflow as tf

from electra_tf.pretraining.masking import gather_positions, replace_positions


def test_gather():
    sequence = tf.reshape(tf.range(12), [2, 3, 2])
    found = gather_positions(sequence, tf.constant([[2, 2], [0, 1]]))
    np.testing.assert_array_equal(found, [[[4, 5], [4, 5]], [[6, 7], [8, 9]]])


def test_example_of_the_docstring():
    ids, written = replace_positions(
        tf.constant([[7, 8, 9]]),
        tf.constant([[2, 2, 1]]),
        tf.constant([[5, 6, 4]]),
        tf.constant([[1, 1, 0]]),
    )
    np.testing.assert_array_equal(ids, [[7, 8, 5]])
    np.testing.assert_array_equal(written, [[False, False, True]])


def test_first_entry_with_a_weight_wins():
    ids, written = replace_positions(
        tf.constant([[7, 8, 9], [7, 8, 9]]),
        tf.constant([[1, 1, 1], [0, 0, 2]]),
        tf.constant([[4, 5, 6], [4, 5, 6]]),
        tf.constant([[0.0, 1.0, 1.0], [1.0, 1.0, 1.0]]),
    )
    np.testing.assert_array_equal(ids, [[7, 5, 9], [4, 8, 6]])
    np.testing.assert_array_equal(written, [[False, True, False], [True, False, True]])


def test_writing_the_same_id_counts_as_written():
    ids, written = replace_positions(*map(tf.constant, ([[7, 8]], [[1]], [[8]], [[1.0]])))
    np.testing.assert_array_equal(ids, [[7, 8]])
    np.testing.assert_array_equal(written, [[False, True]])


def test_agrees_with_a_loop_in_graph_and_eagerly():
    generator = np.random.default_rng(0)
    ids = generator.integers(0, 100, [20, 9]).astype(np.int32)
    positions = generator.integers(0, 9, [20, 6]).astype(np.int32)
    new_ids = generator.integers(100, 200, [20, 6]).astype(np.int32)
    weights = generator.integers(0, 2, [20, 6]).astype(np.float32)
    expected = ids.copy()
    for row in range(20):
        for n in reversed(range(6)):
            if weights[row, n]:
                expected[row, positions[row, n]] = new_ids[row, n]
    arguments = [tf.constant(x) for x in (ids, positions, new_ids, weights)]
    for function in (replace_positions, tf.function(replace_positions, jit_compile=True)):
        found, written = function(*arguments)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(written, expected != ids)
