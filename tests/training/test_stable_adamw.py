# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""StableAdamW by hand."""

import keras
import numpy as np
import pytest

from electra_tf.training.optimization.optimizer import ElectraAdam, ElectraStableAdamW

WEIGHTS = {"kernel": [3.0, 4.0], "LayerNorm": [1.0, 2.0]}
GRADIENTS = (  # the third ones of the kernel are not what the averages expect
    {"kernel": [0.1, -0.2], "LayerNorm": [0.3, 0.1]},
    {"kernel": [0.1, 0.1], "LayerNorm": [0.0, 0.0]},
    {"kernel": [9.0, -3.0], "LayerNorm": [0.3, 0.1]},
)


def updated(optimizer, gradients):
    """The weights after the updates."""
    variables = [keras.Variable(value, name=name) for name, value in WEIGHTS.items()]
    optimizer.build(variables)
    for given in gradients:
        optimizer.apply([np.array(g, np.float32) for g in given.values()], variables)
    return {variable.name: variable.numpy() for variable in variables}


@pytest.mark.parametrize("bias_correction", [False, True])
def test_three_updates_by_hand(bias_correction):
    options = {"weight_decay": 0.01, "clip_norm": None, "bias_correction": bias_correction}
    found = updated(ElectraStableAdamW(0.1, **options), GRADIENTS)
    rates = []
    for name, weight in WEIGHTS.items():
        weight, m, v = np.array(weight), np.zeros(2), np.zeros(2)
        for step, given in enumerate(GRADIENTS, start=1):
            gradient = np.array(given[name])
            m = 0.9 * m + 0.1 * gradient
            v = 0.999 * v + 0.001 * gradient**2
            m_hat, v_hat = m / (1 - 0.9**step), v / (1 - 0.999**step)
            rms = np.sqrt(np.mean(gradient**2 / np.maximum(v_hat, 1e-12)))
            rates.append(0.1 / max(1, rms))
            if not bias_correction:
                m_hat, v_hat = m, v
            decay = 0.01 * weight if name == "kernel" else 0
            weight = weight - rates[-1] * (m_hat / (np.sqrt(v_hat) + 1e-6) + decay)
        np.testing.assert_allclose(found[name], weight, atol=2e-5)  # 1 - 0.999 in float32
    assert rates[:2] == pytest.approx([0.1, 0.1]) and rates[2] < 0.06


def test_expected_gradients_are_adams():
    """Equal gradients are as large as their average: nothing is clipped."""
    adam, stable = (
        updated(kind(0.1, bias_correction=True), GRADIENTS[:1] * 3)
        for kind in (ElectraAdam, ElectraStableAdamW)
    )
    for name, weight in adam.items():
        np.testing.assert_allclose(stable[name], weight, atol=2e-5)


def test_no_gradients_change_nothing():
    zero = {name: np.zeros(2) for name in WEIGHTS}
    found = updated(ElectraStableAdamW(0.1, weight_decay=0.0, epsilon=1e-30), [zero])
    for name, weight in WEIGHTS.items():
        np.testing.assert_array_equal(found[name], weight)
