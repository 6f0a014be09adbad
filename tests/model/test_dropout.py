# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from small_encoder import CONFIG, make_encoder, make_inputs

from electra_tf.model.random_numbers import dropout, hashed_levels, uniform
from electra_tf.seeds import split_seed


def seed(number):
    return tf.constant([number, 0], tf.int32)


@pytest.fixture(params=[False, True], ids=["processor", "accelerator"])
def accelerator(monkeypatch, request):
    monkeypatch.setattr("electra_tf.model.random_numbers.has_accelerator", lambda: request.param)
    return request.param


def test_none_without_seed_and_at_rate_0():
    x = tf.ones([50, 50])
    np.testing.assert_array_equal(dropout(x, 0.5, None), x)
    np.testing.assert_array_equal(dropout(x, 0.0, seed(1)), x)


@pytest.mark.parametrize("rate", [0.1, 0.5])
@pytest.mark.usefixtures("accelerator")
def test_rate_and_scale(rate):
    x = dropout(tf.ones([200, 500]), rate, seed(1)).numpy()
    assert abs(np.mean(x == 0) - rate) < 0.01
    np.testing.assert_allclose(x[x != 0], 1 / (1 - rate), rtol=1e-5)


@pytest.mark.usefixtures("accelerator")
def test_the_same_numbers_with_xla():
    x = tf.constant(np.random.default_rng(0).normal(size=[7, 9, 11]), tf.float32)  # an odd size
    for draw in (lambda: dropout(x, 0.3, seed(4)), lambda: uniform([5, 3], seed(4))):
        plain, compiled = tf.function(draw)(), tf.function(draw, jit_compile=True)()
        np.testing.assert_array_equal(plain, compiled)


@pytest.mark.usefixtures("accelerator")
def test_gradients_are_dropped_like_values():
    x = tf.ones([40, 50])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = dropout(x, 0.25, seed(5))
    np.testing.assert_array_equal(tape.gradient(y, x), y)


def test_uniform_numbers_fill_the_open_interval():
    numbers = uniform([100000], seed(6)).numpy()
    assert 0 < numbers.min() < 1e-4 and 1 - 1e-4 < numbers.max() < 1
    counts = np.histogram(numbers, bins=10, range=(0, 1))[0]
    assert np.abs(counts / 10000 - 1).max() < 0.05


def test_hash_is_splitmix_by_its_definition():
    """Against unbounded integers; the seed's second half is the start, its first half the step."""
    levels = hashed_levels(tf.zeros([2, 3, 5]), tf.constant([-6, 77], tf.int32)).numpy()
    for number, level in enumerate(levels.reshape(-1).tolist()):
        word = (77 + number * ((2**32 - 6) | 1)) % 2**32
        word = (word ^ (word >> 16)) * 0x7FEB352D % 2**32
        word = (word ^ (word >> 15)) * 0x846CA68B % 2**32
        assert level == (word ^ (word >> 16)) >> 16


def test_hash_fills_its_levels_evenly():
    levels = hashed_levels(tf.zeros([512, 512]), seed(8)).numpy()
    counts = np.bincount(levels.reshape(-1) // 256, minlength=256)
    statistic = np.sum((counts - 1024) ** 2 / 1024)
    assert abs(statistic - 255) < 5 * np.sqrt(2 * 255)  # chi square


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_hash_drops_elements_independently(rate):
    """Neighbours in rows, columns and planes, and the same element under seeds that follow."""
    drops = np.stack(
        [
            hashed_levels(tf.zeros([16, 64, 128]), word).numpy() < rate * 2**16
            for word in split_seed(seed(9), 8)
        ]
    )
    centred = (drops - rate) / np.sqrt(rate * (1 - rate))
    assert abs(centred.mean()) * np.sqrt(centred.size) < 5
    for axis in range(centred.ndim):
        for lag in (1, 2, 3):
            products = centred * np.roll(centred, lag, axis)
            assert abs(products.mean()) * np.sqrt(products.size) < 5


def test_encoder_drops_by_its_seed_only():
    encoder, inputs = make_encoder(), make_inputs([6, 4], 6)

    def outputs(seed=None):
        return encoder(inputs, seed=seed).last_hidden_state.numpy()

    np.testing.assert_array_equal(outputs(), outputs())
    np.testing.assert_array_equal(outputs(seed(1)), outputs(seed(1)))
    assert np.abs(outputs(seed(1)) - outputs(seed(2))).max() > 1e-2
    assert np.abs(outputs(seed(1)) - outputs()).max() > 1e-2


@pytest.mark.parametrize(
    ("hidden", "attention", "drops"), [(0.0, 0.0, False), (0.3, 0.0, True), (0.0, 0.3, True)]
)
def test_both_rates_have_an_effect(hidden, attention, drops):
    config = dataclasses.replace(
        CONFIG, hidden_dropout_prob=hidden, attention_probs_dropout_prob=attention
    )
    encoder, inputs = make_encoder(config), make_inputs([6, 4], 6)
    difference = encoder(inputs, seed=seed(1)).last_hidden_state - encoder(inputs).last_hidden_state
    assert (np.abs(difference).max() > 1e-3) == drops


def test_no_two_layers_drop_the_same_elements(monkeypatch):
    used = []

    def draw(x, seed):
        used.append(tuple(seed.numpy()))
        return tf.fill(x.shape, tf.constant(2**16 - 1, tf.uint16))

    monkeypatch.setattr("electra_tf.model.random_numbers.drawn_levels", draw)
    make_encoder()(make_inputs([6], 6), seed=seed(1))
    assert len(used) == 1 + 3 * CONFIG.num_hidden_layers
    assert len(set(used)) == len(used)


def test_seeds_are_split_alike_by_xla():
    """Also negative ones, which XLA takes for others where the algorithm is left to it."""
    seed = tf.constant([-1503457849, -798298177])

    def split():
        return tf.stack(split_seed(seed, 3))

    expected = tf.function(split)().numpy()
    assert tf.function(split, jit_compile=True)().numpy().tolist() == expected.tolist()
