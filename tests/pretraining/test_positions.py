# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Position embeddings for longer sequences."""

import numpy as np
import pytest
import tensorflow as tf

from electra_tf.pretraining.positions import extend_positions


@pytest.mark.parametrize(
    ("trained", "length", "expected"),
    [
        (6, 10, [0, 1, 2, 3, 4, 5, 1, 2, 3, 4, 10, 11]),
        (6, 12, [0, 1, 2, 3, 4, 5, 1, 2, 3, 4, 1, 2]),
        (6, 6, list(range(12))),
        (8, 6, list(range(12))),
    ],
)
def test_new_positions_are_copies_of_trained_ones(trained, length, expected):
    table = np.arange(24, dtype=np.float32).reshape(12, 2)
    names = ("electra/embeddings/position_embeddings", "position_embeddings/adam_m", "other")
    variables = {name: tf.Variable(table) for name in names}
    extend_positions(variables, trained, length)
    for name in names[:2]:
        np.testing.assert_array_equal(variables[name].numpy(), table[expected])
    np.testing.assert_array_equal(variables["other"].numpy(), table)
