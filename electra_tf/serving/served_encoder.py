# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The encoder in the form that serves: the weights of a trained `Encoder`, few operations.

Tokens of all rows are one matrix [B * L, H], so that every projection is one matrix product with
its bias; query, key and value are one projection; the factor of the scores is in its weights.
TensorFlow's optimizer fuses products with their bias, with GELU and with the residual, where
oneDNN has the product. Weights of rank 1 are constants of the graph, because reading a variable is
an operation; matrices are variables, because each signature has its own copy of a constant.

With several branches the tokens of every row are in as many parts, and the operations of a part
depend on another part only by its keys and values. So TensorFlow's executor computes them at the
same time with one thread each, where threads that share each single operation would wait for each
other at its end.
"""

import math
from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from electra_tf.config import EncoderConfig
from electra_tf.model import Encoder
from electra_tf.model.encoder import attention_mask_scores
from electra_tf.model.layers import (
    ACTIVATIONS,
    LAYER_NORM_EPSILON,
    Embeddings,
    LayerNorm,
    TransformerLayer,
)


class ServedEmbeddings(tf.Module):
    """Token, segment and position embeddings, normalized: [B, L] ids -> [B * L, E]."""

    def __init__(self, embeddings: Embeddings, dtype: tf.DType, disentangled: bool = False):
        super().__init__()
        words = tf.convert_to_tensor(embeddings.word_embeddings)
        if disentangled:
            words += tf.convert_to_tensor(embeddings.word_embeddings_difference)
        self.words = _variable(words, dtype)
        self.segments = _variable(embeddings.token_type_embeddings, dtype)
        self.positions = _variable(embeddings.position_embeddings, dtype)
        self._norm = _Norm(embeddings.layer_norm)

    def __call__(self, input_ids: tf.Tensor, segment_ids: tf.Tensor) -> tf.Tensor:
        summed = tf.gather(self.words, input_ids) + tf.gather(self.segments, segment_ids)
        summed += self.positions[: tf.shape(input_ids)[1]]
        return self._norm(tf.reshape(summed, [-1, self.words.shape[1]]))


class ServedEncoder(tf.Module):
    """Hidden states of an `Encoder`, without dropout.

    On two cores, float32, the small model: 1.04 to 1.13 times as fast as the Keras encoder, for 1
    to 32 texts of 32 to 384 tokens. GELU fused with its product, constants and `_Norm` made that
    1.02 to 1.08 times as fast again (AVX-512, one thread).

    Args:
        encoder: whose weights are copied.
        dtype: of weights, matrix products and activations; normalization and softmax are float32.
        embeddings: those of another served encoder, to share them.
        branches: parts of a request that can be computed at the same time.

    Call: {input_ids, input_mask, segment_ids [B, L]} -> list of num_hidden_layers + 1 tensors
        [B, L, H]: what the first layer reads, then what each layer gives.
    """

    def __init__(
        self,
        encoder: Encoder,
        dtype: tf.DType = tf.float32,
        embeddings: ServedEmbeddings | None = None,
        branches: int = 1,
    ):
        super().__init__()
        self._branches = branches
        self._config = encoder.config
        self._direction = encoder.direction
        self.embeddings = embeddings or ServedEmbeddings(
            encoder.embeddings, dtype, is_disentangled(encoder)
        )
        self._project = None
        if encoder.embeddings_project is not None:
            self._project = _Linear([encoder.embeddings_project], dtype)
        self._layers = [_Layer(block, self._config, dtype) for block in encoder.stack.blocks]

    @property
    def num_layers(self) -> int:
        return len(self._layers)

    @property
    def max_length(self) -> int:
        """Tokens of a row, at most."""
        return self._config.max_position_embeddings

    @property
    def hidden_size(self) -> int:
        return self._config.hidden_size

    def __call__(self, batch: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
        ids = batch["input_ids"]
        rows, length = tf.shape(ids)[0], tf.shape(ids)[1]
        lengths = self._lengths_of_parts(length)
        hidden = self.embeddings(ids, batch["segment_ids"])
        if self._project is not None:
            hidden = self._project(hidden)
        scores = attention_mask_scores(batch["input_mask"], direction=self._direction)
        if self._direction == "both":  # the same scores [B, 1, 1, L] from every token
            scores = [scores] * self._branches
        else:
            scores = _split(scores, lengths, axis=2)
        parts = _split(tf.reshape(hidden, [rows, length, self.hidden_size]), lengths, axis=1)
        states = [[tf.reshape(part, [-1, self.hidden_size]) for part in parts]]
        for layer in self._layers:
            states.append(layer(states[-1], scores, rows, lengths))
        return [self._whole(parts, rows, lengths) for parts in states]

    def _lengths_of_parts(self, length: tf.Tensor) -> list[tf.Tensor]:
        """For each branch, its tokens of a row: differ by 1 at most, and are `length` together."""
        count = self._branches
        return [(length + n) // count for n in range(count)] if count > 1 else [length]

    def _whole(
        self, parts: list[tf.Tensor], rows: tf.Tensor, lengths: list[tf.Tensor]
    ) -> tf.Tensor:
        """The parts [B * length, H] of each branch as one, [B, L, H]."""
        pairs = zip(parts, lengths, strict=True)
        return _joined([tf.reshape(x, [rows, n, self.hidden_size]) for x, n in pairs], axis=1)


def is_disentangled(encoder: Encoder) -> bool:
    """Whether the encoder adds a separate difference to the token table."""
    return getattr(encoder, "disentangled", False)


class _Layer(tf.Module):
    def __init__(self, block: TransformerLayer, config: EncoderConfig, dtype: tf.DType):
        super().__init__()
        attention = block.attention.self_attention
        self._heads, self._size = config.num_attention_heads, config.head_size
        scales = (config.head_size**-0.5, 1.0, 1.0)
        projections = [attention.query, attention.key, attention.value]
        self._query_key_value = _Linear(projections, dtype, scales)
        self._attention_output = _Linear([block.attention.residual_output.dense], dtype)
        self._attention_norm = _Norm(block.attention.residual_output.layer_norm)
        self._widen = _Linear([block.intermediate.dense], dtype)
        self._activation = _ACTIVATIONS[config.hidden_act]
        self._narrow = _Linear([block.residual_output.dense], dtype)
        self._norm = _Norm(block.residual_output.layer_norm)

    def __call__(
        self,
        parts: list[tf.Tensor],
        mask_scores: list[tf.Tensor],
        rows: tf.Tensor,
        lengths: list[tf.Tensor],
    ) -> list[tf.Tensor]:
        projected = [self._project(part, rows, n) for part, n in zip(parts, lengths, strict=True)]
        queries, keys, values = zip(*projected, strict=True)
        key, value = _joined(keys, axis=2), _joined(values, axis=2)  # [B, A, L, D]
        attended = [
            self._attend(query, key, value, scores)
            for query, scores in zip(queries, mask_scores, strict=True)
        ]
        return [self._feed(*pair) for pair in zip(attended, parts, strict=True)]

    def _project(self, hidden: tf.Tensor, rows: tf.Tensor, length: tf.Tensor) -> list[tf.Tensor]:
        """Query, key and value [B, A, length, D] of hidden states [B * length, H]."""
        shape = [rows, length, 3, self._heads, self._size]
        # Transposed by einsum, because oneDNN's transpose wakes all threads however small it is.
        projected = tf.einsum("blcad->cbald", tf.reshape(self._query_key_value(hidden), shape))
        return tf.unstack(projected)

    def _attend(
        self, query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, mask_scores: tf.Tensor
    ) -> tf.Tensor:
        scores = tf.cast(tf.matmul(query, key, transpose_b=True), tf.float32) + mask_scores
        weights = tf.cast(tf.nn.softmax(scores), query.dtype)
        context = tf.einsum("bald->blad", tf.matmul(weights, value))
        return tf.reshape(context, [-1, self._heads * self._size])

    def _feed(self, context: tf.Tensor, hidden: tf.Tensor) -> tf.Tensor:
        """What is behind attention: output, feed-forward network, normalization."""
        hidden = self._attention_norm(self._attention_output(context) + hidden)
        wide = self._activation(self._widen(hidden))
        return self._norm(self._narrow(wide) + hidden)


class _Linear(tf.Module):
    """Several dense layers side by side as one, without their activations."""

    def __init__(
        self,
        layers: Sequence[keras.layers.Dense],
        dtype: tf.DType,
        scales: Sequence[float] = (1.0,),
    ):
        super().__init__()
        kernels = [
            layer.kernel.numpy() * scale for layer, scale in zip(layers, scales, strict=True)
        ]
        biases = [layer.bias.numpy() * scale for layer, scale in zip(layers, scales, strict=True)]
        self._kernel = _variable(np.concatenate(kernels, axis=-1), dtype)
        self._bias = np.concatenate(biases, axis=-1)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return tf.nn.bias_add(tf.matmul(x, self._kernel), tf.cast(self._bias, x.dtype))


class _Norm(tf.Module):
    """Layer normalization, without the form that TensorFlow's optimizer replaces.

    It takes `tf.nn.moments` and `tf.nn.batch_normalization` with constant weights for its fused
    layer normalization, which has its own epsilon, 0.001.
    """

    def __init__(self, layer: LayerNorm):
        super().__init__()
        self._gamma, self._beta = layer.gamma.numpy(), layer.beta.numpy()

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        wide = tf.cast(x, tf.float32)
        centred = wide - tf.reduce_mean(wide, axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
        scale = tf.math.rsqrt(variance + LAYER_NORM_EPSILON) * self._gamma
        return tf.cast(centred * scale + self._beta, x.dtype)


def _gelu(x: tf.Tensor) -> tf.Tensor:
    """`model.layers.gelu` without its gradient and casts, which would keep it from being fused."""
    return (0.5 * x) * (1.0 + tf.math.erf(math.sqrt(0.5) * x))


_ACTIVATIONS = {**ACTIVATIONS, "gelu": _gelu}


def _variable(value: np.ndarray | tf.Tensor | keras.Variable, dtype: tf.DType) -> tf.Variable:
    return tf.Variable(tf.cast(tf.convert_to_tensor(value), dtype), trainable=False)


def _split(x: tf.Tensor, lengths: list[tf.Tensor], axis: int) -> list[tf.Tensor]:
    return [x] if len(lengths) == 1 else tf.split(x, lengths, axis)


def _joined(parts: Sequence[tf.Tensor], axis: int) -> tf.Tensor:
    return parts[0] if len(parts) == 1 else tf.concat(parts, axis)
