# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What was trained in a process leaves no memory behind."""

import gc
import weakref

import tensorflow as tf

from electra_tf.training.private_tensorflow import without_lasting_gradients


@tf.custom_gradient
def square(x):
    return x * x, lambda upstream: 2.0 * x * upstream


def graph_of_a_step():
    """The graph of a function with a custom gradient, which nobody here holds."""
    weight = tf.Variable(3.0)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = square(weight)
        return tape.gradient(loss, weight)

    assert float(step()) == 6.0
    return weakref.ref(step.get_concrete_function().graph)


def test_graphs_go_with_their_models():
    with without_lasting_gradients():
        assert graph_of_a_step()() is not None  # TensorFlow holds it
        graph = graph_of_a_step()
    gc.collect()
    assert graph() is None
