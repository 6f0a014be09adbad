# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The heads of pre-training."""

from typing import Any

import keras
import tensorflow as tf

from electra_tf.config import EncoderConfig
from electra_tf.model.layers import ACTIVATIONS, layer_norm
from electra_tf.model.part import EncoderPart, Initializers, serializable


@serializable
class TokenPredictionHead(EncoderPart):
    """Vocabulary logits, with the token embeddings as output layer; built on construction.

    Call: hidden [B, N, any], word_embeddings [V, E] -> float32 [B, N, V]. Hidden states are to be
    gathered at the N positions of interest before the call: the projection to V is the costly part.

    Args:
        config: shape of the encoder whose embeddings they are.
        initializers: of the weights; default: the configuration's, with a random seed.
        input_width: of the hidden states; default: the encoder's.
        name: first part of the names of its variables.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(
        self,
        config: EncoderConfig,
        initializers: Initializers | None = None,
        input_width: int | None = None,
        name: str = "generator_predictions",
        **kwargs: Any,
    ):
        super().__init__(config, initializers, name=name, **kwargs)
        self.input_width = input_width or config.hidden_size
        self.dense = self.make_dense(
            config.embedding_size, "dense", activation=ACTIVATIONS[config.hidden_act]
        )
        self.layer_norm = layer_norm(self.dtype_policy)
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

    def call(self, hidden: tf.Tensor, word_embeddings: keras.Variable | tf.Tensor) -> tf.Tensor:
        hidden = self.layer_norm(self.dense(hidden))
        table = tf.cast(tf.convert_to_tensor(word_embeddings), hidden.dtype)
        # As one matrix: a batch of products would have a gradient of the table for each sequence.
        rows = tf.reshape(hidden, [-1, self.config.embedding_size])
        logits = tf.cast(tf.matmul(rows, table, transpose_b=True), tf.float32)
        logits = tf.nn.bias_add(logits, tf.convert_to_tensor(self.output_bias))
        shape = tf.concat([tf.shape(hidden)[:-1], [self.config.vocab_size]], axis=0)
        return tf.reshape(logits, shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "input_width": self.input_width}


@serializable
class ReplacedTokenHead(EncoderPart):
    """One logit per position: was this token replaced? Built on construction.

    Call: hidden [B, L, H] -> float32 [B, L].

    Args:
        config: shape of the encoder.
        initializers: of the weights; default: the configuration's, with a random seed.
        name: first part of the names of its variables.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(
        self,
        config: EncoderConfig,
        initializers: Initializers | None = None,
        name: str = "discriminator_predictions",
        **kwargs: Any,
    ):
        super().__init__(config, initializers, name=name, **kwargs)
        self.dense = self.make_dense(
            config.hidden_size, "dense", activation=ACTIVATIONS[config.hidden_act]
        )
        self.dense_1 = self.make_dense(1, "dense_1", self.initializers.glorot)
        self.build()

    def build(self, input_shape: tuple[int | None, ...] | None = None) -> None:
        shape = (None, None, self.config.hidden_size)
        self.dense.build(shape)
        self.dense_1.build(shape)
        self.built = True

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.squeeze(self.dense_1(self.dense(hidden)), -1), tf.float32)


@serializable
class CopyHead(EncoderPart):
    """One logit per position: is the token to be copied from the input? Built on construction.

    Call: hidden [B, L, H] -> float32 [B, L].

    Args:
        config: shape of the encoder.
        initializers: of the weights; default: the configuration's, with a random seed.
        name: first part of the names of its variables.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(
        self,
        config: EncoderConfig,
        initializers: Initializers | None = None,
        name: str = "copy_predictions",
        **kwargs: Any,
    ):
        super().__init__(config, initializers, name=name, **kwargs)
        self.dense = self.make_dense(1, "dense", self.initializers.glorot)
        self.build()

    def build(self, input_shape: tuple[int | None, ...] | None = None) -> None:
        self.dense.build((None, None, self.config.hidden_size))
        self.built = True

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.squeeze(self.dense(hidden), -1), tf.float32)
