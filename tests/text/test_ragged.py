# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Rows of the values of ragged tensors."""

import pytest
import tensorflow as tf

from electra_tf.text.ragged import row_numbers


@pytest.mark.parametrize(
    "rows", [[[7, 7], [], [7, 7, 7]], [[], [7], [], []], [[7]], [[]], [], [[], []]]
)
def test_row_numbers(rows):
    ragged = tf.ragged.constant(rows, ragged_rank=1, row_splits_dtype=tf.int64)
    expected = [number for number, row in enumerate(rows) for _ in row]
    assert row_numbers(ragged.row_splits).numpy().tolist() == expected
