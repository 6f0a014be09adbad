# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""LAMB by hand."""

import keras
import numpy as np
import pytest

from electra_tf.training.optimization.optimizer import ElectraLamb

WEIGHTS = {"kernel": [3.0, 4.0], "LayerNorm": [1.0, 2.0], "zero": [0.0, 0.0]}
GRADIENTS = {"kernel": [0.1, -0.2], "LayerNorm": [0.3, 0.1], "zero": [0.2, 0.2]}


@pytest.mark.parametrize("bias_correction", [False, True])
def test_two_updates_by_hand(bias_correction):
    variables = [keras.Variable(value, name=name) for name, value in WEIGHTS.items()]
    optimizer = ElectraLamb(0.1, weight_decay=0.01, clip_norm=None, bias_correction=bias_correction)
    optimizer.build(variables)
    expected = {name: np.array(value) for name, value in WEIGHTS.items()}
    m = {name: np.zeros(2) for name in WEIGHTS}
    v = {name: np.zeros(2) for name in WEIGHTS}
    for step in (1, 2):
        optimizer.apply([np.array(g, np.float32) for g in GRADIENTS.values()], variables)
        for name, gradient in GRADIENTS.items():
            gradient = np.array(gradient)
            m[name] = 0.9 * m[name] + 0.1 * gradient
            v[name] = 0.999 * v[name] + 0.001 * gradient**2
            m_hat, v_hat = m[name], v[name]
            if bias_correction:
                m_hat, v_hat = m_hat / (1 - 0.9**step), v_hat / (1 - 0.999**step)
            update, trust = m_hat / (np.sqrt(v_hat) + 1e-6), 1.0
            if name != "LayerNorm":
                update += 0.01 * expected[name]
                norm = np.linalg.norm(expected[name])
                trust = norm / np.linalg.norm(update) if norm else 1.0
            expected[name] = expected[name] - 0.1 * trust * update
    for variable in variables:
        np.testing.assert_allclose(variable, expected[variable.name], rtol=1e-5)
    assert set(optimizer.slots()) == {
        f"{name}/{slot}" for name in WEIGHTS for slot in ("adam_m", "adam_v")
    }
