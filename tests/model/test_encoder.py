# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from small_encoder import CONFIG, make_encoder, make_inputs

from electra_tf.model import Initializers
from electra_tf.model.layers import Embeddings


def concatenated(inputs, lengths):
    """The rows of `inputs` without their padding, packed into one row with one padding token."""
    packed = {}
    for name, rows in inputs.items():
        parts = [row[:length] for row, length in zip(rows.numpy(), lengths, strict=True)]
        packed[name] = tf.constant(np.concatenate([*parts, [0]])[None])
    packed["position_ids"] = tf.constant([[i for n in lengths for i in range(n)] + [0]])
    packed["sequence_ids"] = tf.constant(
        [[i for i, n in enumerate(lengths, 1) for _ in range(n)] + [0]]
    )
    return packed


@pytest.mark.parametrize("direction", ["both", "left_to_right", "right_to_left"])
def test_packed_sequences_do_not_see_each_other(direction):
    encoder, lengths = make_encoder(direction=direction), [4, 7]
    inputs = make_inputs(lengths, 7)
    alone = encoder(inputs).last_hidden_state.numpy()
    packed = encoder(concatenated(inputs, lengths)).last_hidden_state.numpy()
    np.testing.assert_allclose(packed[0, :4], alone[0, :4], atol=1e-5)
    np.testing.assert_allclose(packed[0, 4:11], alone[1], atol=1e-5)


@pytest.mark.parametrize("direction", ["both", "left_to_right", "right_to_left"])
def test_padding_does_not_change_tokens(direction):
    encoder = make_encoder(direction=direction)
    short, long = make_inputs([5], 5), {}
    for name, rows in short.items():
        garbage = {"input_ids": 9, "segment_ids": 1, "input_mask": 0}[name]
        long[name] = tf.pad(rows, [[0, 0], [0, 4]], constant_values=garbage)
    for ours, padded in zip(encoder(short).layer_outputs, encoder(long).layer_outputs, strict=True):
        np.testing.assert_allclose(ours, padded[:, :5], atol=1e-5)


def test_causal_encoders_see_one_side_only():
    inputs = make_inputs([6], 6)
    changed = {**inputs, "input_ids": tf.tensor_scatter_nd_add(inputs["input_ids"], [[0, 3]], [1])}
    seen = {}
    for direction in ("both", "left_to_right", "right_to_left"):
        encoder = make_encoder(direction=direction)
        difference = encoder(changed).last_hidden_state - encoder(inputs).last_hidden_state
        seen[direction] = (tf.reduce_max(tf.abs(difference[0]), axis=-1) > 1e-4).numpy().tolist()
    assert seen == {
        "both": [True] * 6,
        "left_to_right": [False] * 3 + [True] * 3,
        "right_to_left": [True] * 4 + [False] * 2,
    }


def test_every_input_counts():
    encoder, inputs = make_encoder(), make_inputs([6], 6)
    before = encoder(inputs).last_hidden_state
    for name, changed in (
        ("segment_ids", 1 - inputs["segment_ids"]),
        ("position_ids", tf.constant([[5, 4, 3, 2, 1, 0]])),
        ("input_ids", inputs["input_ids"][:, ::-1]),
    ):
        after = encoder({**inputs, name: changed}).last_hidden_state
        assert np.abs(after - before).max() > 1e-2, name


def test_outputs_of_all_layers():
    output = make_encoder()(make_inputs([6, 3], 6))
    assert [layer.shape for layer in output.layer_outputs] == [(2, 6, 8)] * 2
    np.testing.assert_array_equal(output.last_hidden_state, output.layer_outputs[-1])
    # Post-LN: each layer ends in a normalization, here still with scale 1 and shift 0.
    for layer in output.layer_outputs:
        np.testing.assert_allclose(tf.reduce_mean(layer, -1), np.zeros([2, 6]), atol=1e-5)
        np.testing.assert_allclose(tf.math.reduce_std(layer, -1), np.ones([2, 6]), atol=1e-4)


def test_too_long_input_is_an_error():
    with pytest.raises(ValueError, match="at most max_position_embeddings=12 tokens, but has 13"):
        make_encoder()(make_inputs([13], 13))


def test_unknown_direction_is_an_error():
    with pytest.raises(ValueError, match=r"one of .*left_to_right.*, not 'up'"):
        make_encoder(direction="up")


def test_no_projection_where_the_widths_are_equal():
    config = dataclasses.replace(CONFIG, embedding_size=8)
    names = {variable.path for variable in make_encoder(config).variables}
    assert not [name for name in names if "embeddings_project" in name]
    assert len(names) == 5 + 2 * 16


def test_shared_embeddings_are_the_same_variables():
    initializers = Initializers(0.02, 1)
    embeddings = Embeddings(CONFIG, initializers)
    first = make_encoder(embeddings=embeddings)
    second = make_encoder(embeddings=embeddings, name="generator")
    ids = {id(variable) for encoder in (first, second) for variable in encoder.variables}
    assert len(ids) == 5 + 2 * (2 + 2 * 16)


def test_the_seed_decides_the_initial_weights():
    first, second = ([variable.numpy() for variable in make_encoder().variables] for _ in range(2))
    for ours, theirs in zip(first, second, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    initializers = Initializers(0.02, 2)
    other = Embeddings(CONFIG, initializers)
    other.build()
    assert np.abs(other.word_embeddings.numpy() - first[0]).max() > 0
    assert np.abs(other.word_embeddings.numpy()).max() <= 0.04 + 1e-6  # cut at 2 deviations


def test_one_product_for_queries_keys_and_values_gives_those_of_three(monkeypatch):
    """And the gradients of each projection's own weights."""
    found = []
    for at_once in (False, True):
        monkeypatch.setattr("electra_tf.model.layers.has_accelerator", lambda there=at_once: there)
        encoder = make_encoder()
        weights = [variable.value for variable in encoder.trainable_variables]
        with tf.GradientTape() as tape:
            hidden = encoder(make_inputs([5, 7], 7)).last_hidden_state
            loss = tf.reduce_sum(tf.sin(3.0 * hidden))
        found.append([hidden, *map(tf.convert_to_tensor, tape.gradient(loss, weights))])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
