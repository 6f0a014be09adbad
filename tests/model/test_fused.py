# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The compiled form, which steps on CPUs take, gives the numbers of the plain one."""

import contextlib
import os
import re
import subprocess
import sys
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from electra_tf.model import functions, fused
from electra_tf.model.part import Dense
from electra_tf.pretraining.losses import token_cross_entropy

SEED = tf.constant([3, 4], tf.int32)
SCORES = (2, 3, 8, 8)


def random(shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


@pytest.fixture
def plain_form_hashes(monkeypatch):
    """So that dropout keeps the same elements in both forms."""
    monkeypatch.setattr("electra_tf.model.random_numbers.has_accelerator", lambda: True)


@pytest.fixture
def small_is_fused(monkeypatch):
    monkeypatch.setattr(fused, "MIN_ELEMENTS", 1)


def step_of(function, dtype, *inputs):
    """A traced function: the value and its gradients, as float32."""
    inputs = [tf.cast(x, dtype) if len(x.shape) > 1 else x for x in inputs]

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = function(*inputs)
        upstream = tf.cast(random(y.shape, seed=1), y.dtype)
        gradients = tape.gradient(y, inputs, upstream)
        return [tf.cast(value, tf.float32) for value in (y, *gradients)]

    return step


def both_forms(function, dtype, *inputs):
    """(number of compiled functions, values) of the plain and of the compiled form."""
    for form in (contextlib.nullcontext, fused.fused_on_cpus):
        step = step_of(function, dtype, *inputs)
        with form():
            graph = step.get_concrete_function().graph
        yield len(compiled_functions(graph)), step()


def compiled_functions(graph):
    functions = graph.as_graph_def().library.function
    return [f for f in functions if f.attr["_XlaMustCompile"].b]


def dropped_sum(x, residual, scale, offset):
    return functions.add_and_normalize(x, residual, scale, offset, 0.3, SEED)


def dropped_weights(scores):
    mask = tf.where(tf.range(SCORES[-1]) < 5, 0.0, -10000.0)[None, None, None]
    return functions.attention_weights(scores, mask, 0.3, SEED)


ROWS = (3, 5, 16)
CASES = {
    "gelu": (functions.gelu, random(ROWS)),
    "sum": (dropped_sum, random(ROWS), random(ROWS, 2), random(ROWS[-1:]), random(ROWS[-1:], 3)),
    "attention": (dropped_weights, random(SCORES)),
    "loss": (lambda x: token_cross_entropy(x, tf.constant([[1, 0, 3, 15, 2]] * 3)), random(ROWS)),
}


@pytest.mark.usefixtures("plain_form_hashes", "small_is_fused")
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name):
    function, *inputs = CASES[name]
    (none, plain), (programs, found) = both_forms(function, tf.float32, *inputs)
    assert none == 0 and programs >= 2  # of each pass one, which may have another inside
    for one, other in zip(found, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.usefixtures("plain_form_hashes", "small_is_fused")
@pytest.mark.parametrize("name", ["gelu", "sum", "attention"])
def test_values_and_gradients_in_low_precision(name):
    function, *inputs = CASES[name]
    (_, plain), (_, found) = both_forms(function, tf.bfloat16, *inputs)
    for one, other in zip(found, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=0.02, atol=0.02)


@pytest.mark.usefixtures("small_is_fused")
@pytest.mark.parametrize("width", [2, 1])
def test_pairs_of_bfloat16_are_rounded_as_tensorflow_does(width):
    """Ties to even, numbers beyond the largest, the smallest, and NaN of any bits."""
    large, small = 2.0**127, 2.0**-133
    left = [1.0, 1.0078125, -1.0, large, -large, small, -0.0, 3.0, float("nan"), float("inf")]
    right = [1.00390625, 1.00390625, 1.01171875, 2.0, 2.0, 0.5, 1.0, 1 / 3, 1.0, 0.0]
    x, y = (tf.cast(tf.reshape(tf.constant(v), [-1, width]), tf.bfloat16) for v in (left, right))
    product = fused.fused_elements(lambda x, y: tf.cast(x, tf.float32) * tf.cast(y, tf.float32))
    expected = tf.cast(product(x, y), tf.bfloat16)
    with fused.fused_on_cpus():
        found = tf.cast(product(x, y), tf.bfloat16)
    assert found.shape == x.shape
    is_nan = tf.math.is_nan(expected)
    np.testing.assert_array_equal(tf.math.is_nan(found), is_nan)
    bits = [tf.where(is_nan, tf.uint16.min, tf.bitcast(v, tf.uint16)) for v in (found, expected)]
    np.testing.assert_array_equal(*bits)


@pytest.mark.usefixtures("small_is_fused")
@pytest.mark.parametrize("use_bias", [True, False])
def test_a_dense_layer_is_one_product_of_matrices(use_bias):
    layer = Dense(3, activation="tanh", use_bias=use_bias, bias_initializer="normal")
    layer.build((None, None, ROWS[-1]))
    weights = [weight.value for weight in layer.weights]

    def step(x):
        with tf.GradientTape() as tape:
            y = layer(x)
        return y, *tape.gradient(y, weights)

    expected = tf.function(step)(random(ROWS))
    traced = tf.function(step)
    with fused.fused_on_cpus():
        found = traced(random(ROWS))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    graph = traced.get_concrete_function(random(ROWS)).graph
    ranks = [len(op.outputs[0].shape) for op in graph.get_operations() if op.type == "BiasAdd"]
    assert ranks == ([2] if use_bias else [])


def test_a_dense_layer_is_quantized_as_that_of_keras():
    layers = Dense(3), keras.layers.Dense(3)
    for layer in layers:
        layer.build((None, ROWS[-1]))
        layer.set_weights([np.linspace(-1, 1, 3 * ROWS[-1]).reshape(-1, 3), np.ones(3)])
        layer.quantize("int8")
        assert layer.kernel.dtype == "int8"
    np.testing.assert_array_equal(*(layer(random([2, ROWS[-1]])) for layer in layers))


def test_what_is_compiled(monkeypatch):
    """Large tensors of known shapes, in steps, where there is no accelerator."""
    large = tf.zeros([256, 256])
    assert not fused.is_fused(large)
    with fused.fused_on_cpus():
        assert fused.is_fused(large)
        assert not fused.is_fused(large[:255])
        monkeypatch.setattr(fused, "has_accelerator", lambda: True)
        with fused.fused_on_cpus():
            assert not fused.is_fused(large)
        assert fused.is_fused(large)
    assert not fused.is_fused(large)


def wait_for_compilers():
    for thread in threading.enumerate():
        if thread.name == fused.AHEAD:
            thread.join()


@pytest.mark.usefixtures("small_is_fused")
def test_tracing_a_step_begins_to_compile_its_functions_once(monkeypatch):
    begun = []
    monkeypatch.setattr(fused, "_call_with_zeros", lambda traced: begun.append(traced.name))
    case = tf.float32, random((3, 7, 16))  # which no other test has
    for _ in range(2):
        _, (programs, _) = both_forms(lambda x: functions.gelu(x * functions.gelu(x)), *case)
    wait_for_compilers()
    assert len(set(begun)) == len(begun) == programs


PROGRAM = """
import threading
import tensorflow as tf
from electra_tf.model import functions, fused

def step(x):
    with fused.fused_on_cpus():
        return functions.gelu(x) + functions.gelu(-x)

x = tf.ones([256, 256], tf.{dtype})
"""

FIRST_STEP = """
traced = tf.function(step).get_concrete_function(x)
for thread in threading.enumerate():
    if thread.name == fused.AHEAD:
        thread.join()
print("TRACED", flush=True)
traced(x)
"""

END = """
def compile(traced):
    print("BEGUN", flush=True)
    threading.main_thread().join()

fused._call_with_zeros = compile
for rows in (256, 512, 1024):
    tf.function(step).get_concrete_function(tf.ones([rows, 256]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_first_step_finds_its_functions_compiled(dtype):
    log = {"TF_CPP_MIN_LOG_LEVEL": "0", "TF_CPP_VMODULE": "device_compiler=2"}
    command = [sys.executable, "-c", PROGRAM.format(dtype=dtype) + FIRST_STEP]
    done = subprocess.run(
        command,
        env={**os.environ, **log},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    tracing, step = done.stdout.split("TRACED")
    compiled, found = "Instantly compiling for signature", "Already Compiled for signature"
    assert [len(re.findall(text, tracing)) for text in (compiled, found)] == [1, 0]
    assert [len(re.findall(text, step)) for text in (compiled, found)] == [0, 2]


@pytest.mark.slow
def test_a_process_that_ends_waits_for_one_function_at_most():
    command = [sys.executable, "-c", PROGRAM.format(dtype="float32") + END]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    assert done.stdout.count("BEGUN") == 1
