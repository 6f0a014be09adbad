# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest
import tensorflow as tf

from electra_tf.pretraining.masking import sample_tokens

LOGITS = np.log(np.array([0.5, 0.25, 0.15, 0.08, 0.02], np.float32))


def seed(number=0):
    return tf.constant([number, 1], tf.int32)


def repeated(logits, count=20000):
    """The same logits at `count` positions: [10, count / 10, V]."""
    return tf.tile(tf.constant(logits)[None, None], [10, count // 10, 1])


def ops_of(function, *arguments):
    """All operations of a traced function and the functions it calls."""
    definition = function.get_concrete_function(*arguments).graph.as_graph_def()
    nodes = list(definition.node)
    for inner in definition.library.function:
        nodes += inner.node_def
    return {node.op for node in nodes}


def assert_frequencies(samples, probabilities):
    count = samples.size
    found = np.bincount(samples.ravel(), minlength=len(probabilities)) / count
    tolerance = 4 * np.sqrt(probabilities * (1 - probabilities) / count)
    assert (np.abs(found - probabilities) <= tolerance).all(), (found, probabilities)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_samples_follow_softmax(temperature, compiled):
    function = tf.function(sample_tokens, jit_compile=compiled)
    samples = function(repeated(LOGITS), seed(), temperature=temperature)
    assert (samples.dtype, samples.shape) == (tf.int32, (10, 2000))
    assert_frequencies(samples.numpy(), np.asarray(tf.nn.softmax(LOGITS / temperature)))


def test_positions_are_independent():
    samples = sample_tokens(repeated(LOGITS), seed()).numpy()
    pairs = samples[:, 0] * 5 + samples[:, 1]
    p = np.exp(LOGITS)
    assert_frequencies(pairs, np.outer(p, p).ravel())


def test_each_position_has_its_own_logits():
    ids = np.random.default_rng(0).integers(0, 50, [6, 7])
    logits = tf.one_hot(ids, 50, on_value=100.0)
    np.testing.assert_array_equal(sample_tokens(logits, seed()), ids)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_disallowed_token_is_never_drawn(temperature):
    disallowed = tf.constant(np.arange(20000).reshape(10, 2000) % 2, tf.int32)
    samples = sample_tokens(repeated(LOGITS), seed(), temperature, disallowed).numpy()
    assert not (samples == disallowed.numpy()).any()
    for excluded in (0, 1):
        left = np.exp(LOGITS / temperature)
        left[excluded] = 0
        assert_frequencies(samples[disallowed.numpy() == excluded], left / left.sum())


def test_no_gradient():
    logits = repeated(LOGITS, 20)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        samples = tf.cast(sample_tokens(logits, seed(), 2.0), tf.float32)
    assert tape.gradient(samples, logits) is None


def test_decided_by_the_seed():
    draw = [sample_tokens(repeated(LOGITS, 200), seed(n)).numpy() for n in (1, 1, 2)]
    np.testing.assert_array_equal(draw[0], draw[1])
    assert (draw[0] != draw[2]).any()


@pytest.mark.parametrize("disallow", [False, True])
def test_no_one_hot_over_the_vocabulary(disallow):
    disallowed = tf.zeros([10, 2], tf.int32) if disallow else None
    ops = ops_of(tf.function(sample_tokens), repeated(LOGITS, 20), seed(), 0.5, disallowed)
    assert "OneHot" not in ops
    assert "StatelessRandomUniformFullIntV2" in ops  # the graph is really looked into


LARGE = np.random.default_rng(1).normal(0, 3, [4, 6, 1000]).astype(np.float32)
"""Logits over several blocks of a vocabulary, the last of them not full."""


def test_frequencies_over_blocks():
    samples = sample_tokens(tf.tile(LARGE[:1, :1], [10, 5000, 1]), seed(3)).numpy()
    probabilities = np.asarray(tf.nn.softmax(LARGE[0, 0].astype(np.float64)))
    count = samples.size
    found = np.bincount(samples.ravel(), minlength=1000)
    assert found.size == 1000
    often = probabilities * count > 5
    statistic = np.sum((found - probabilities * count)[often] ** 2 / (probabilities * count)[often])
    assert abs(statistic - often.sum()) < 5 * np.sqrt(2 * often.sum())  # chi square


@pytest.mark.parametrize("disallow", [False, True])
def test_the_same_with_xla_and_on_an_accelerator(monkeypatch, disallow):
    disallowed = tf.argmax(LARGE, -1, output_type=tf.int32) if disallow else None
    drawn = []
    for accelerator in (False, True):
        monkeypatch.setattr(
            "electra_tf.pretraining.masking.has_accelerator", lambda there=accelerator: there
        )
        for compiled in (False, True):
            function = tf.function(sample_tokens, jit_compile=compiled)
            drawn.append(function(tf.constant(LARGE), seed(), 1.5, disallowed).numpy())
    for other in drawn[1:]:
        np.testing.assert_array_equal(other, drawn[0])


def test_nothing_of_the_size_of_the_logits_is_stored():
    graph = tf.function(sample_tokens).get_concrete_function(tf.constant(LARGE), seed()).graph
    large = {
        operation.type
        for operation in graph.get_operations()
        for output in operation.outputs
        if output.dtype == tf.float32 and (output.shape.num_elements() or 0) >= LARGE.size
    }
    # The logits themselves, and the loop over sequences that passes them on.
    assert "Placeholder" in large
    assert large <= {"Placeholder", "StopGradient", "Identity", "While", "StatelessWhile"}


@pytest.mark.parametrize("disallowed_ids", [None, tf.ones(LARGE.shape[:2], tf.int32)])
def test_accelerators_pass_over_the_logits_without_storing_others(monkeypatch, disallowed_ids):
    """XLA fuses what is used once into what uses it; what is used twice may be stored."""
    for module in ("pretraining.masking", "model.random_numbers"):
        monkeypatch.setattr(f"electra_tf.{module}.has_accelerator", lambda: True)
    function = tf.function(lambda logits: sample_tokens(logits, seed(), 2.0, disallowed_ids))
    used_more_often = {
        operation.type
        for operation in function.get_concrete_function(tf.constant(LARGE)).graph.get_operations()
        for output in operation.outputs
        if output.dtype == tf.float32 and (output.shape.num_elements() or 0) >= LARGE.size
        if len(output.consumers()) > 1
    }
    # The logits, without the disallowed token and divided by the temperature.
    assert used_more_often <= {"StopGradient", "SelectV2", "RealDiv"}
