# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The optimizer's updates computed by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from electra_tf.training import ElectraAdam, WarmupPolynomialDecay
from electra_tf.training.optimization.optimizer import sum_and_clip

START = {"kernel": [1.0, -2.0], "bias": [0.5], "LayerNorm": [3.0]}
DECAYS = {"kernel": True, "bias": False, "LayerNorm": False}
GRADIENTS = [  # the norms are 5, below 1, and 0
    {"kernel": [3.0, 0.0], "bias": [0.0], "LayerNorm": [4.0]},
    {"kernel": [0.1, -0.2], "bias": [0.3], "LayerNorm": [-0.1]},
    {"kernel": [0.0, 0.0], "bias": [0.0], "LayerNorm": [0.0]},
]


def make_variables():
    return {name: keras.Variable(value, name=name) for name, value in START.items()}


def by_hand(rates, weight_decay=0.0, bias_correction=False, clip_norm=1.0):
    """The variables after each of the three updates, float64."""
    values = {name: np.array(value) for name, value in START.items()}
    m = {name: np.zeros_like(value) for name, value in values.items()}
    v = {name: np.zeros_like(value) for name, value in values.items()}
    history = []
    for t, (rate, gradients) in enumerate(zip(rates, GRADIENTS, strict=True), 1):
        norm = np.sqrt(sum(np.sum(np.square(g)) for g in gradients.values()))
        scale = 1.0 if clip_norm is None or norm <= clip_norm else clip_norm / norm
        for name in values:
            gradient = np.array(gradients[name]) * scale
            m[name] = 0.9 * m[name] + 0.1 * gradient
            v[name] = 0.999 * v[name] + 0.001 * gradient**2
            m_hat, v_hat = m[name], v[name]
            if bias_correction:
                m_hat, v_hat = m_hat / (1 - 0.9**t), v_hat / (1 - 0.999**t)
            update = m_hat / (np.sqrt(v_hat) + 1e-6)
            if DECAYS[name]:
                update = update + weight_decay * values[name]
            values[name] = values[name] - rate * update
        history.append(dict(values))
    return history


@pytest.mark.parametrize("clip_norm", [1.0, None])
@pytest.mark.parametrize("bias_correction", [False, True])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_three_updates(weight_decay, bias_correction, clip_norm):
    variables = make_variables()
    optimizer = ElectraAdam(
        0.01, weight_decay=weight_decay, bias_correction=bias_correction, clip_norm=clip_norm
    )
    expected = by_hand([0.01] * 3, weight_decay, bias_correction, clip_norm)
    for gradients, values in zip(GRADIENTS, expected, strict=True):
        optimizer.apply([tf.constant(g) for g in gradients.values()], list(variables.values()))
        for name, value in values.items():
            # float32 holds 1 - 0.999 to 1e-5 of it.
            np.testing.assert_allclose(
                variables[name].numpy() - START[name], value - START[name], rtol=3e-5, atol=2e-7
            )


def test_update_n_takes_the_rate_of_step_n():
    schedule = WarmupPolynomialDecay(0.1, num_steps=10, num_warmup_steps=2)
    variables = make_variables()
    optimizer = ElectraAdam(schedule, weight_decay=0.0)
    expected = by_hand([0.1 * 0.9 / 2, 0.1 * 0.8, 0.1 * 0.7])
    for gradients, values in zip(GRADIENTS, expected, strict=True):
        optimizer.apply([tf.constant(g) for g in gradients.values()], list(variables.values()))
        for name, value in values.items():
            np.testing.assert_allclose(
                variables[name].numpy() - START[name], value - START[name], rtol=3e-5, atol=2e-7
            )
    assert int(optimizer.iterations) == 3


def test_the_norm_is_of_matrices_vectors_and_numbers():
    values = [np.full([2, 3], 1.0), np.full([4], 2.0), np.array(3.0), np.full([1, 2, 1], 4.0)]
    _, norm = sum_and_clip([tf.constant(value, tf.float32) for value in values], clip_norm=None)
    assert float(norm) == pytest.approx((6 * 1 + 4 * 4 + 9 + 2 * 16) ** 0.5)


def test_apply_returns_the_norm_before_clipping():
    variables = make_variables()
    optimizer = ElectraAdam(0.01, clip_norm=1.0)
    gradients = [tf.constant(g) for g in GRADIENTS[0].values()]
    assert float(optimizer.apply(gradients, list(variables.values()))) == 5.0


def test_sparse_gradients_are_clipped_by_the_norm_of_the_gradient_itself():
    # Row 0 occurs twice: its gradient is [6, 0], so the norm is 10, not that of the slices.
    slices = tf.IndexedSlices(
        tf.constant([[3.0, 0.0], [3.0, 0.0], [0.0, 8.0]]), tf.constant([0, 0, 2]), [3, 2]
    )
    sparse, dense = (keras.Variable(np.ones([3, 2]), name="table") for _ in range(2))
    norms = [
        ElectraAdam(0.01, clip_norm=5.0).apply([gradient], [variable])
        for gradient, variable in (
            (slices, sparse),
            (tf.constant([[6.0, 0.0], [0.0, 0.0], [0.0, 8.0]]), dense),
        )
    ]
    assert [float(norm) for norm in norms] == [10.0, 10.0]
    np.testing.assert_allclose(sparse.numpy(), dense.numpy(), rtol=1e-6)
    # Decay reaches also the row without a gradient.
    np.testing.assert_allclose(sparse.numpy()[1], 1 - 0.01 * 0.01, rtol=1e-6)


def test_learning_rate_multiplier_scales_update_and_decay():
    variables = make_variables()
    factors = {"kernel": 0.5, "bias": 0.0, "LayerNorm": 1.0}
    ElectraAdam(0.01, weight_decay=0.1, learning_rate_factors=tuple(factors.items())).apply(
        [tf.constant(g) for g in GRADIENTS[0].values()], list(variables.values())
    )
    full = by_hand([0.01] * 3, weight_decay=0.1)[0]
    for name, factor in factors.items():
        change = np.array(full[name]) - START[name]
        np.testing.assert_allclose(
            variables[name].numpy() - START[name], factor * change, rtol=3e-5, atol=2e-7
        )


def test_a_path_without_a_rule_is_an_error_at_build():
    rules = (("kernel", 1.0), ("^bias", 1.0))
    for name in ("learning_rate_factors", "weight_decay_factors"):
        with pytest.raises(ValueError, match=f"{name} .*none of 'kernel', '.bias' fits LayerNorm"):
            ElectraAdam(**{name: rules}).build(list(make_variables().values()))
    for wrong in (("kernel",), ("(", 1.0), ("kernel", -0.5), ("kernel", "half"), (3, 1.0)):
        with pytest.raises(ValueError, match="weight_decay_factors is expected to have pairs"):
            ElectraAdam(weight_decay_factors=(wrong,))


@pytest.mark.parametrize(
    "wrong",
    [{"learning_rate": -1.0}, {"weight_decay": "x"}, {"beta_1": 1.0}, {"epsilon": float("nan")}],
)
def test_numbers_out_of_range_are_named(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is expected to be a number"):
        ElectraAdam(**wrong)
    with pytest.raises(ValueError, match="num_steps is expected to be above 0"):
        WarmupPolynomialDecay(1.0, 0)


def test_own_decay_rule():
    variable = keras.Variable([1.0], name="bias")
    ElectraAdam(0.01, weight_decay=0.1, weight_decay_factors=(("", 1.0),)).apply(
        [tf.zeros(1)], [variable]
    )
    np.testing.assert_allclose(variable.numpy(), [1 - 0.01 * 0.1], rtol=1e-6)


def test_slots_have_the_names_of_the_original():
    variables = make_variables()
    optimizer = ElectraAdam()
    optimizer.build(list(variables.values()))
    assert sorted(optimizer.slots()) == sorted(
        f"{name}/{slot}" for name in variables for slot in ("adam_m", "adam_v")
    )


@pytest.mark.parametrize("rate", [0.25, WarmupPolynomialDecay(0.1, 10, 2, 2.0)])
def test_config_round_trip(rate):
    numbers = {
        "weight_decay": 0.2,
        "beta_1": 0.8,
        "beta_2": 0.9,
        "epsilon": 1e-3,
        "bias_correction": True,
        "clip_norm": 2.0,
    }
    config = ElectraAdam(rate, **numbers).get_config()
    assert numbers.items() <= config.items()
    again = ElectraAdam.from_config(
        config, custom_objects={"WarmupPolynomialDecay": WarmupPolynomialDecay}
    )
    assert again.get_config() == ElectraAdam(rate, **numbers).get_config()
    first, second = (keras.Variable([1.0, 2.0], name="kernel") for _ in range(2))
    ElectraAdam(rate, **numbers).apply([tf.constant([3.0, 4.0])], [first])
    again.apply([tf.constant([3.0, 4.0])], [second])
    np.testing.assert_array_equal(first.numpy(), second.numpy())
