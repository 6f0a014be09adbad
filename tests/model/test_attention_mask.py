# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest
import tensorflow as tf

from electra_tf.model.encoder import attention_mask_scores

X = -10000.0


@pytest.mark.parametrize(
    ("direction", "rows"),
    [
        ("both", [[0, 0, X]]),
        ("left_to_right", [[0, X, X], [0, 0, X], [0, 0, X]]),
        ("right_to_left", [[0, 0, X], [X, 0, X], [X, X, X]]),
    ],
)
def test_directions(direction, rows):
    scores = attention_mask_scores(tf.constant([[1, 1, 0]]), direction=direction)
    assert scores.dtype == tf.float32
    np.testing.assert_array_equal(scores, [[rows]])


def test_attention_stays_inside_a_sequence():
    scores = attention_mask_scores(tf.constant([[1, 1, 1, 0]]), tf.constant([[1, 2, 2, 0]]))
    rows = [[0, X, X, X], [X, 0, 0, X], [X, 0, 0, X], [X, X, X, X]]
    np.testing.assert_array_equal(scores, [[rows]])


def test_sequences_and_direction_together():
    scores = attention_mask_scores(
        tf.constant([[1, 1, 1]]), tf.constant([[1, 2, 2]]), "left_to_right"
    )
    np.testing.assert_array_equal(scores, [[[[0, X, X], [X, 0, X], [X, 0, 0]]]])


def test_each_row_has_its_own_mask():
    scores = attention_mask_scores(tf.constant([[1, 0], [1, 1]]))
    np.testing.assert_array_equal(scores, [[[[0, X]]], [[[0, 0]]]])
