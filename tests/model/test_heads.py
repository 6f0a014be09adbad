# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import keras
import numpy as np
import tensorflow as tf
from small_encoder import CONFIG, make_encoder, make_inputs

from electra_tf.model import Initializers, ReplacedTokenHead, TokenPredictionHead


def test_token_head_by_hand():
    head = TokenPredictionHead(CONFIG, Initializers(0.5, 1), input_width=8)
    generator = np.random.default_rng(0)
    head.output_bias.assign(generator.normal(size=30).astype(np.float32))
    hidden = generator.normal(size=[2, 3, 8]).astype(np.float32)
    table = generator.normal(size=[30, 6]).astype(np.float32)

    logits = head(hidden, table)
    assert logits.shape == (2, 3, 30)
    x = hidden @ head.dense.kernel.numpy()
    x = np.asarray(tf.nn.gelu(x, approximate=False))
    x = (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)
    np.testing.assert_allclose(logits, x @ table.T + head.output_bias.numpy(), atol=1e-4)


def test_token_head_computes_only_what_it_is_given():
    head = TokenPredictionHead(CONFIG, Initializers(0.5, 1), input_width=8)
    for count in (1, 5):
        assert head(tf.ones([2, count, 8]), tf.ones([30, 6])).shape == (2, count, 30)


def test_replaced_token_head_has_one_logit_per_position():
    head = ReplacedTokenHead(CONFIG, Initializers(0.5, 1))
    hidden = np.random.default_rng(0).normal(size=[2, 5, 8]).astype(np.float32)
    logits = head(hidden)
    x = np.asarray(tf.nn.gelu(hidden @ head.dense.kernel.numpy(), approximate=False))
    np.testing.assert_allclose(logits, (x @ head.dense_1.kernel.numpy())[..., 0], atol=1e-5)


def test_bfloat16_computes_with_float32_weights_and_logits():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        encoder = make_encoder()
        head = ReplacedTokenHead(CONFIG, Initializers(0.5, 1))
    finally:
        keras.mixed_precision.set_global_policy("float32")
    inputs = make_inputs([6, 4], 6)
    hidden = encoder(inputs, seed=tf.constant([1, 2])).last_hidden_state
    hidden = encoder(inputs).last_hidden_state
    assert hidden.dtype == tf.bfloat16
    assert head(hidden).dtype == tf.float32
    assert {variable.dtype for variable in encoder.variables} == {"float32"}
    exact = make_encoder()(inputs).last_hidden_state
    real = tf.cast(inputs["input_mask"], tf.float32)[..., None]
    np.testing.assert_allclose(tf.cast(hidden, tf.float32) * real, exact * real, atol=0.15)
