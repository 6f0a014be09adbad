# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What was trained in a process leaves no memory behind."""

import gc
import weakref

import pytest
import tensorflow as tf
from tensorflow.python.framework import ops
from tiny_finetuning import classification, finetune
from tiny_finetuning import make_data_dir as make_finetuning_data_dir
from tiny_run import hparams_with, make_data_dir

import electra_tf
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


@pytest.mark.slow
def test_runs_leave_no_gradients(tmp_path):
    def registered():
        return {name for name in ops.gradient_registry._registry if name.startswith("CustomG")}

    before = registered()
    electra_tf.pretrain(str(make_data_dir(tmp_path / "a")), "model", **hparams_with({}))
    data_dir = make_finetuning_data_dir(tmp_path / "b")
    finetune(data_dir, [classification(data_dir)])
    assert registered() == before
