# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The encoder that serves computes what the encoder computes, in its own form."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from electra_tf.config import EncoderConfig
from electra_tf.model import Encoder
from electra_tf.serving.served_encoder import ServedEncoder

CONFIG = EncoderConfig(
    vocab_size=50,
    embedding_size=8,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=64,
    max_position_embeddings=16,
)


@pytest.fixture(scope="module")
def encoder():
    """With biases and scales that no optimizer can leave out, as 0 and 1 can be."""
    made = Encoder(CONFIG)
    generator = np.random.default_rng(0)
    for weight in made.weights:
        weight.assign(weight.numpy() + 0.3 * generator.normal(size=weight.shape))
    return made


def rows():
    generator = np.random.default_rng(1)
    mask = (np.arange(9)[None] < np.array([9, 5, 1])[:, None]).astype(np.int32)
    ids = generator.integers(0, 50, mask.shape).astype(np.int32)
    return {"input_ids": ids, "input_mask": mask, "segment_ids": mask}


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 0.1)])
def test_its_graph_gives_the_states_of_the_encoder(encoder, dtype, tolerance):
    """As a graph, which TensorFlow optimizes: it fuses operations, some with other constants."""
    served = ServedEncoder(encoder, tf.as_dtype(dtype))
    assert {variable.shape.rank for variable in served.variables} == {2}
    batch = {name: tf.constant(values) for name, values in rows().items()}
    found = tf.function(served, autograph=False)(batch)
    expected = encoder(batch).layer_outputs
    is_real = batch["input_mask"].numpy() == 1
    assert len(found) == len(expected) + 1 == 3
    for state, wanted in zip(found[1:], expected, strict=True):
        difference = tf.cast(state, tf.float32).numpy()[is_real] - wanted.numpy()[is_real]
        assert np.sqrt(np.mean(difference**2)) < tolerance


@pytest.mark.parametrize("direction", ["both", "right_to_left"])
def test_branches_are_parts_of_the_tokens_and_change_no_numbers(direction):
    """Nine tokens in two parts, and rows that are shorter than there are branches."""
    made = Encoder(CONFIG, direction=direction)
    graph = tf.function(ServedEncoder(made, branches=2), autograph=False)
    for length in (9, 1):
        batch = {name: tf.constant(values[:, :length]) for name, values in rows().items()}
        expected = ServedEncoder(made)(batch)
        for state, wanted in zip(graph(batch), expected, strict=True):
            np.testing.assert_allclose(state, wanted, atol=1e-5)
    layers = CONFIG.num_hidden_layers
    operations = graph.get_concrete_function(batch).graph.get_operations()
    assert sum(operation.type == "Erf" for operation in operations) == 2 * layers
    joined = {str(o.outputs[0].name) for o in operations if o.type == "ConcatV2"}
    assert len(joined) == 2 * layers + layers + 1  # keys and values; the states that are returned


@pytest.mark.slow
def test_the_settings_that_serving_advises_change_no_numbers():
    settings = {
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "TF_ONEDNN_THREADPOOL_USE_CALLER_THREAD": "1",
        "TF_ONEDNN_ASSUME_FROZEN_WEIGHTS": "1",
    }
    tests = (
        test_its_graph_gives_the_states_of_the_encoder,
        test_branches_are_parts_of_the_tokens_and_change_no_numbers,
    )
    names = [f"{__file__}::{test.__name__}" for test in tests]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *names]
    subprocess.run(command, env={**os.environ, **settings}, check=True)
