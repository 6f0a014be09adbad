# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest
import tensorflow as tf

from electra_tf.pretraining.corruption import sample_tokens

LOGITS = np.log(np.array([0.5, 0.25, 0.15, 0.08, 0.02], np.float32))


def seed(number=0):
    return tf.constant([number, 1], tf.int32)


def repeated(logits, count=20000):
    """The same logits at `count` positions: [count / 10, 10, V]."""
    return tf.tile(tf.constant(logits)[None, None], [count // 10, 10, 1])


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
    assert (samples.dtype, samples.shape) == (tf.int32, (2000, 10))
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
    disallowed = tf.constant(np.arange(20000).reshape(2000, 10) % 2, tf.int32)
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
    disallowed = tf.zeros([2, 10], tf.int32) if disallow else None
    ops = ops_of(tf.function(sample_tokens), repeated(LOGITS, 20), seed(), 0.5, disallowed)
    assert "OneHot" not in ops
    assert "StatelessRandomUniformV2" in ops  # the graph is really looked into
