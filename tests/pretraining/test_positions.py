# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Position embeddings for longer sequences."""

import numpy as np
import pytest
import tensorflow as tf

from electra_tf.pretraining.positions import extend_positions, trained_positions


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
    own = "electra/embeddings/position_embeddings"
    names = (own, f"{own}/adam_m", "other", "generator/position_embeddings")
    variables = {name: tf.Variable(table) for name in names}
    extend_positions(variables, {own: trained, names[-1]: 0}, length)
    for name in names[:2]:
        np.testing.assert_array_equal(variables[name].numpy(), table[expected])
    for name in names[2:]:
        np.testing.assert_array_equal(variables[name].numpy(), table)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"trained_positions": {"a": 7, "b": 99}}, {"a": 7, "b": 10, "c": 10}),
        ({"configuration": {"max_seq_length": 6}}, {"a": 6, "b": 6, "c": 6}),
        ({"configuration": {"max_seq_length": 6, "init_checkpoint": "x"}}, None),
        ({}, None),
    ],
)
def test_what_a_checkpoint_has_trained(state, expected):
    """All of it, if there is no saying."""
    tables = dict.fromkeys("abc", 10)
    assert trained_positions(state, 3, tables, "model.ckpt-3") == (expected or tables)
    stages = [{"steps": 3, "max_seq_length": 5}, {"steps": 3, "max_seq_length": 8}]
    staged = {"configuration": {"max_seq_length": 6, "stages": stages}}
    found = [trained_positions(staged, step, {"a": 10}, "")["a"] for step in (0, 3, 4)]
    assert found == [0, 5, 8]


def test_trained_positions_of_a_wrong_type():
    states = [{"trained_positions": wrong} for wrong in (3, {"a": "3"})]
    for state in (*states, {"configuration": 3}, {"configuration": {"seed": 3}}):
        with pytest.raises(ValueError, match=r"model\.ckpt-3: .*state.*"):
            trained_positions(state, 3, {"a": 10}, "model.ckpt-3")
