# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What every layer and model must do as Keras' own do; checked the same way for all of them."""

import json

import keras
import numpy as np
import tensorflow as tf

POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")


def flat(outputs):
    """Floating-point outputs of a layer, as float32 arrays."""
    leaves = [tf.convert_to_tensor(leaf) for leaf in keras.tree.flatten(outputs)]
    return [tf.cast(leaf, tf.float32).numpy() for leaf in leaves if leaf.dtype.is_floating]


def assert_same(found, expected, tolerance=0.0):
    found, expected = flat(found), flat(expected)
    assert len(found) == len(expected) > 0
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=tolerance, rtol=tolerance)


def differ(first, second):
    return any(np.any(a != b) for a, b in zip(flat(first), flat(second), strict=True))


def symbolic(inputs):
    """Keras inputs of the types of tensors, of any number of rows."""
    return keras.tree.map_structure(
        lambda tensor: keras.Input(tensor.shape[1:], dtype=tensor.dtype.name), inputs
    )


def check_configuration(layer, inputs):
    """A layer made anew from its configuration, also by way of JSON, computes the same."""
    type(layer).from_config(layer.get_config())
    config = json.loads(json.dumps(layer.get_config()))
    other = type(layer).from_config(config)
    assert json.loads(json.dumps(other.get_config())) == config
    assert other.dtype_policy == layer.dtype_policy
    expected = layer(*inputs)
    if not other.built:
        other.build(keras.tree.map_structure(lambda tensor: tuple(tensor.shape), inputs[0]))
    # Built by shapes alone, all weights are there.
    assert [tuple(v.shape) for v in other.weights] == [tuple(v.shape) for v in layer.weights]
    other.set_weights(layer.get_weights())
    assert_same(other(*inputs), expected)


def check_training(layer, inputs, drops, has_training):
    """`training` decides about dropout, which differs from call to call."""
    plain = layer(*inputs)
    if not has_training:
        return
    assert_same(layer(*inputs, training=False), plain)
    first, second = layer(*inputs, training=True), layer(*inputs, training=True)
    assert differ(first, plain) == differ(first, second) == drops


def check_compiled(layer, inputs, tolerance):
    """Under `tf.function`, and compiled by XLA, it computes what it computes eagerly."""
    expected = layer(*inputs)
    assert_same(tf.function(lambda *given: layer(*given))(*inputs), expected, tolerance)
    compiled = tf.function(lambda *given: layer(*given), jit_compile=True)
    assert_same(compiled(*inputs), expected, tolerance)


def check_saving(layer, inputs, folder):
    """Part of a functional model, it comes back from a .keras file with its weights."""
    given = symbolic(inputs)
    model = keras.Model(given, keras.tree.flatten(layer(*given)))
    expected = model(inputs)
    path = str(folder / f"{layer.name}.keras")
    model.save(path)
    assert_same(keras.models.load_model(path)(inputs), expected)
    weights = str(folder / f"{layer.name}.weights.h5")
    model.save_weights(weights)
    before = model.get_weights()
    model.set_weights([np.zeros_like(weight) for weight in before])
    model.load_weights(weights)
    for found, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, kept)


def check_layer(make, inputs, folder, drops=True, has_training=True):
    """All of the above.

    Args:
        make: called with a `dtype`, gives a new layer.
        inputs: tuple of structures of tensors that it is called with.
        folder: for files.
        drops: whether it drops out in training.
        has_training: whether it takes `training` at all.
    """
    for policy in POLICIES:
        layer = make(dtype=policy)
        check_configuration(layer, inputs)
        if policy == "float32":
            check_training(layer, inputs, drops, has_training)
            check_saving(layer, inputs, folder)
        if policy != "mixed_float16":
            # XLA keeps intermediate results in more bits.
            check_compiled(layer, inputs, 1e-5 if policy == "float32" else 0.15)
