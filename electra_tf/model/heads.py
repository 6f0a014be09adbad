# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The two heads of pre-training."""

from typing import Any

import keras
import tensorflow as tf

from electra_tf.config import EncoderConfig
from electra_tf.model.layers import ACTIVATIONS, Initializers, layer_norm


class TokenPredictionHead(keras.layers.Layer):
    """Vocabulary logits, with the token embeddings as output layer; built on construction.

    Call: hidden [B, N, any], word_embeddings [V, E] -> float32 [B, N, V]. Hidden states are to be
    gathered at the N positions of interest before the call: the projection to V is the costly part.
    """

    def __init__(
        self,
        config: EncoderConfig,
        initializers: Initializers,
        input_width: int,
        name: str = "generator_predictions",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        self.config = config
        self.input_width = input_width
        self.dense = keras.layers.Dense(
            config.embedding_size,
            activation=ACTIVATIONS[config.hidden_act],
            kernel_initializer=initializers.normal,
            name="dense",
        )
        self.layer_norm = layer_norm()
        self.build()

    def build(self, input_shape: tuple[int | None, ...] | None = None) -> None:
        self.dense.build((None, None, self.input_width))
        self.layer_norm.build((None, None, self.config.embedding_size))
        self.output_bias = self.add_weight(
            name="output_bias",
            shape=(self.config.vocab_size,),
            initializer="zeros",
            autocast=False,
        )
        self.built = True

    def call(self, hidden: tf.Tensor, word_embeddings: keras.Variable) -> tf.Tensor:
        hidden = self.layer_norm(self.dense(hidden))
        table = tf.cast(tf.convert_to_tensor(word_embeddings), hidden.dtype)
        # As one matrix: a batch of products would have a gradient of the table for each sequence.
        rows = tf.reshape(hidden, [-1, self.config.embedding_size])
        logits = tf.cast(tf.matmul(rows, table, transpose_b=True), tf.float32)
        logits = tf.nn.bias_add(logits, tf.convert_to_tensor(self.output_bias))
        shape = tf.concat([tf.shape(hidden)[:-1], [self.config.vocab_size]], axis=0)
        return tf.reshape(logits, shape)


class ReplacedTokenHead(keras.layers.Layer):
    """One logit per position: was this token replaced? Built on construction.

    Call: hidden [B, L, H] -> float32 [B, L].
    """

    def __init__(
        self,
        config: EncoderConfig,
        initializers: Initializers,
        name: str = "discriminator_predictions",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        self.config = config
        self.dense = keras.layers.Dense(
            config.hidden_size,
            activation=ACTIVATIONS[config.hidden_act],
            kernel_initializer=initializers.normal,
            name="dense",
        )
        self.dense_1 = keras.layers.Dense(1, kernel_initializer=initializers.glorot, name="dense_1")
        self.build()

    def build(self, input_shape: tuple[int | None, ...] | None = None) -> None:
        shape = (None, None, self.config.hidden_size)
        self.dense.build(shape)
        self.dense_1.build(shape)
        self.built = True

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.squeeze(self.dense_1(self.dense(hidden)), -1), tf.float32)
