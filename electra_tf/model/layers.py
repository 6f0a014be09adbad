# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The layers of a post-LN BERT encoder, named as in the original so that paths are its names.

Dimensions: B batch, L length, E embedding, H hidden, A heads, D = H / A, F feed-forward.
Every layer that drops out takes seeds, int32 [2], so that a step is a function of weights, batch
and seed. Only what is called with `training=True` and without seeds has random state.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from electra_tf.accelerators import has_accelerator
from electra_tf.config import EncoderConfig
from electra_tf.model.functions import (
    LAYER_NORM_EPSILON,
    add_and_normalize,
    attention_weights,
    gelu,
    normalize,
)
from electra_tf.model.part import EncoderPart, Initializers, serializable
from electra_tf.model.random_numbers import dropout

MASKED_SCORE = -10000.0
"""Added to attention scores of forbidden positions, modeling.py attention_layer."""


ACTIVATIONS = {
    "gelu": gelu,
    "relu": tf.nn.relu,
    "tanh": tf.tanh,
    "linear": tf.identity,
}


@serializable
class LayerNorm(keras.layers.LayerNormalization):
    """Keras' layer with another gradient; float32 inside."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        scale, offset = (tf.convert_to_tensor(weight) for weight in (self.gamma, self.beta))
        normal = normalize(tf.cast(x, tf.float32), scale, offset)
        return tf.cast(normal, self.compute_dtype)


def layer_norm(dtype: keras.DTypePolicy) -> LayerNorm:
    """Layer normalization with the original's epsilon and name."""
    return LayerNorm(epsilon=LAYER_NORM_EPSILON, name="LayerNorm", dtype=dtype)


@serializable
class Embeddings(EncoderPart):
    """Sum of token, segment and position embeddings, normalized.

    Call: input_ids [B, L], segment_ids [B, L], position_ids [B, L] or None -> [B, L, E].

    Args:
        has_difference: gradient-disentangled sharing (DeBERTaV3, He et al. 2021): calls that are
            `disentangled` see the token table plus a separate difference, which starts at 0,
            and their gradients do not reach the table.
    """

    num_seeds = 1

    def __init__(
        self,
        config: EncoderConfig,
        initializers: Initializers | None = None,
        has_difference: bool = False,
        name: str = "embeddings",
        **kwargs: Any,
    ):
        super().__init__(config, initializers, name=name, **kwargs)
        self.has_difference = has_difference
        self.layer_norm = layer_norm(self.dtype_policy)

    def build(self, input_shape: tuple[int | None, ...] | None = None) -> None:
        width = self.config.embedding_size
        for name, rows in (
            ("word_embeddings", self.config.vocab_size),
            ("token_type_embeddings", self.config.type_vocab_size),
            ("position_embeddings", self.config.max_position_embeddings),
        ):
            # Rows are looked up, and their gradients summed, in float32.
            table = self.add_weight(
                name=name, shape=(rows, width), initializer=self.initializers.normal, autocast=False
            )
            setattr(self, name, table)
        if self.has_difference:
            self.word_embeddings_difference = self.add_weight(
                name="word_embeddings_difference",
                shape=self.word_embeddings.shape,
                initializer="zeros",
                autocast=False,
            )
        self.layer_norm.build((None, None, width))
        self.built = True

    def call(
        self,
        input_ids: tf.Tensor,
        segment_ids: tf.Tensor,
        position_ids: tf.Tensor | None = None,
        seed: tf.Tensor | None = None,
        disentangled: bool = False,
        training: bool | None = None,
    ) -> tf.Tensor:
        length = input_ids.shape[1]
        most = self.config.max_position_embeddings
        if position_ids is None and length is not None and length > most:
            raise ValueError(
                f"input_ids is expected to have at most max_position_embeddings="
                f"{self.config.max_position_embeddings} tokens, but has {length}."
            )
        segments = tf.one_hot(segment_ids, self.config.type_vocab_size)
        embeddings = tf.gather(tf.convert_to_tensor(self.word_embeddings), input_ids)
        if disentangled:
            difference = tf.convert_to_tensor(self.word_embeddings_difference)
            embeddings = tf.stop_gradient(embeddings) + tf.gather(difference, input_ids)
        embeddings += tf.matmul(segments, tf.convert_to_tensor(self.token_type_embeddings))
        positions = tf.convert_to_tensor(self.position_embeddings)
        if position_ids is None:
            embeddings += positions[None, : tf.shape(input_ids)[1]]
        else:
            embeddings += tf.gather(positions, position_ids)
        seed = self.call_seed(seed, training)
        return dropout(self.layer_norm(embeddings), self.config.hidden_dropout_prob, seed)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "has_difference": self.has_difference}


@serializable
class SelfAttention(EncoderPart):
    """Multi-head scaled dot-product attention.

    Call: hidden [B, L, H], mask_scores float32 [B, 1, L, L] added to the scores -> [B, L, H].
    """

    num_seeds = 1
    default_name = "self"

    def __init__(
        self, config: EncoderConfig, initializers: Initializers | None = None, **kwargs: Any
    ):
        super().__init__(config, initializers, **kwargs)
        self.query, self.key, self.value = (
            self.make_dense(config.hidden_size, part) for part in ("query", "key", "value")
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        for projection in (self.query, self.key, self.value):
            projection.build(input_shape)
        self.built = True

    def call(
        self,
        hidden: tf.Tensor,
        mask_scores: tf.Tensor,
        seed: tf.Tensor | None = None,
        training: bool | None = None,
    ) -> tf.Tensor:
        query, key, value = self._project(hidden)
        # Not the scores: there are more of them.
        query *= tf.cast(self.config.head_size**-0.5, query.dtype)
        scores = tf.matmul(query, key, transpose_b=True)  # [B, A, L, L]
        seed = self.call_seed(seed, training)
        rate = self.config.attention_probs_dropout_prob
        weights = attention_weights(scores, mask_scores, rate, seed)
        context = tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3])  # [B, L, A, D]
        return tf.reshape(context, tf.shape(hidden))

    def _project(self, hidden: tf.Tensor) -> list[tf.Tensor]:
        """Queries, keys and values [B, A, L, D], in the form that is faster on the devices."""
        return (self.project_at_once if has_accelerator() else self.project_each)(hidden)

    def project_each(self, hidden: tf.Tensor) -> list[tf.Tensor]:
        """By a product each."""
        return [self._split_heads(layer(hidden)) for layer in (self.query, self.key, self.value)]

    def project_at_once(self, hidden: tf.Tensor) -> list[tf.Tensor]:
        """By one product with the three kernels side by side."""
        layers = (self.query, self.key, self.value)
        kernel = tf.concat([tf.convert_to_tensor(layer.kernel) for layer in layers], axis=1)
        bias = tf.concat([tf.convert_to_tensor(layer.bias) for layer in layers], axis=0)
        # As one matrix: a batch of products would have a gradient of the kernel for each sequence.
        rows = tf.reshape(hidden, [-1, self.config.hidden_size])
        projected = tf.reshape(
            tf.nn.bias_add(tf.matmul(rows, kernel), bias),
            [*tf.unstack(tf.shape(hidden)[:2]), len(layers), *self._heads],
        )
        return tf.unstack(tf.transpose(projected, [2, 0, 3, 1, 4]))

    def _split_heads(self, x: tf.Tensor):
        x = tf.reshape(x, [*tf.unstack(tf.shape(x)[:2]), *self._heads])
        return tf.transpose(x, [0, 2, 1, 3])  # [B, A, L, D]

    @property
    def _heads(self) -> tuple[int, int]:
        return self.config.num_attention_heads, self.config.head_size


@serializable
class ResidualOutput(EncoderPart):
    """Projection to H, dropout, residual, normalization: the end of both halves of a layer.

    Call: x [B, L, any], residual [B, L, H] -> [B, L, H].
    """

    num_seeds = 1
    default_name = "output"

    def __init__(
        self, config: EncoderConfig, initializers: Initializers | None = None, **kwargs: Any
    ):
        super().__init__(config, initializers, **kwargs)
        self.rate = config.hidden_dropout_prob
        self.dense = self.make_dense(config.hidden_size, "dense")
        self.layer_norm = layer_norm(self.dtype_policy)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.dense.build(input_shape)
        self.layer_norm.build((*input_shape[:-1], self.dense.units))
        self.built = True

    def call(
        self,
        x: tf.Tensor,
        residual: tf.Tensor,
        seed: tf.Tensor | None = None,
        training: bool | None = None,
    ) -> tf.Tensor:
        seed = self.call_seed(seed, training)
        scale, offset = (tf.convert_to_tensor(weight) for weight in self.layer_norm.weights)
        return add_and_normalize(self.dense(x), residual, scale, offset, self.rate, seed)


@serializable
class Attention(EncoderPart):
    """Self-attention with its output projection, residual and normalization."""

    num_seeds = 2
    default_name = "attention"

    def __init__(
        self, config: EncoderConfig, initializers: Initializers | None = None, **kwargs: Any
    ):
        super().__init__(config, initializers, **kwargs)
        self.self_attention = SelfAttention(config, self.initializers, dtype=self.dtype_policy)
        self.residual_output = ResidualOutput(config, self.initializers, dtype=self.dtype_policy)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.self_attention.build(input_shape)
        self.residual_output.build(input_shape)
        self.built = True

    def call(
        self,
        hidden: tf.Tensor,
        mask_scores: tf.Tensor,
        seeds: Sequence[tf.Tensor] | None = None,
        training: bool | None = None,
    ) -> tf.Tensor:
        seeds = self.call_seeds(seeds, training)
        context = self.self_attention(hidden, mask_scores, seed=seeds[0])
        return self.residual_output(context, hidden, seed=seeds[1])


@serializable
class Intermediate(EncoderPart):
    """The widening half of the feed-forward network: [B, L, H] -> [B, L, F]."""

    default_name = "intermediate"

    def __init__(
        self, config: EncoderConfig, initializers: Initializers | None = None, **kwargs: Any
    ):
        super().__init__(config, initializers, **kwargs)
        self.dense = self.make_dense(
            config.intermediate_size, "dense", activation=ACTIVATIONS[config.hidden_act]
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.dense.build(input_shape)
        self.built = True

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return self.dense(hidden)


@serializable
class TransformerLayer(EncoderPart):
    """One layer: attention, then feed-forward, each with residual and normalization after it."""

    num_seeds = 3

    def __init__(
        self, config: EncoderConfig, initializers: Initializers | None = None, **kwargs: Any
    ):
        super().__init__(config, initializers, **kwargs)
        self.attention = Attention(config, self.initializers, dtype=self.dtype_policy)
        self.intermediate = Intermediate(config, self.initializers, dtype=self.dtype_policy)
        self.residual_output = ResidualOutput(config, self.initializers, dtype=self.dtype_policy)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.attention.build(input_shape)
        self.intermediate.build(input_shape)
        self.residual_output.build((*input_shape[:-1], self.intermediate.dense.units))
        self.built = True

    def call(
        self,
        hidden: tf.Tensor,
        mask_scores: tf.Tensor,
        seeds: Sequence[tf.Tensor] | None = None,
        training: bool | None = None,
    ) -> tf.Tensor:
        seeds = self.call_seeds(seeds, training)
        hidden = self.attention(hidden, mask_scores, seeds=seeds[:2])
        return self.residual_output(self.intermediate(hidden), hidden, seed=seeds[2])
