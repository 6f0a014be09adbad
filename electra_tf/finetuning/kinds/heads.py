# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""One head per kind of task: from hidden states to outputs and the loss of each example.

Variables are named as in the original (`dense`, `dense_1`, `qa_hidden`, ...). Outputs carry the
original's names; `loss` [B] is there if the features have labels. Where a head drops out, it does
so with the seed it is given.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from electra_tf.model import Initializers
from electra_tf.model.layers import ACTIVATIONS
from electra_tf.model.random_numbers import dropout, split_seed


def weighted_cross_entropy(
    logits: tf.Tensor, labels: tf.Tensor, smoothing: float, class_weights: Sequence[float]
) -> tf.Tensor:
    """Cross-entropy with smoothed labels, times the weight of the label's class.

    Args:
        logits: float32 [..., C].
        labels: int32 [...].
        smoothing: share of the probability that is spread evenly over all classes.
        class_weights: C weights; empty for ones.
    """
    classes = logits.shape[-1]
    targets = tf.one_hot(labels, classes) * (1.0 - smoothing) + smoothing / classes
    losses = tf.nn.softmax_cross_entropy_with_logits(labels=targets, logits=logits)
    if class_weights:
        losses *= tf.gather(tf.constant(class_weights, tf.float32), labels)
    return losses


class TaskHead(keras.layers.Layer):
    """A head named after its task; finds its labels among the features by that name."""

    def __init__(self, name: str, initializers: Initializers, hidden_size: int):
        super().__init__(name=name)
        self.initializers = initializers
        self.hidden_size = hidden_size

    def dense(
        self, units: int, name: str, activation: Callable[[tf.Tensor], tf.Tensor] | None = None
    ) -> keras.layers.Dense:
        return keras.layers.Dense(
            units, activation=activation, kernel_initializer=self.initializers.glorot, name=name
        )

    def labels(self, features: Mapping[str, tf.Tensor], name: str) -> tf.Tensor | None:
        return features.get(f"{self.name}_{name}")

    def _passed_on(self, features: Mapping[str, tf.Tensor], *names: str) -> dict[str, tf.Tensor]:
        found = {name: self.labels(features, name) for name in (*names, "eid")}
        return {name: value for name, value in found.items() if value is not None}


class SequenceHead(TaskHead):
    """A linear layer on the first token's state.

    Args:
        num_outputs: classes, or 1 for regression.
        dropout_rate: before each layer.
        has_hidden_layer: whether a GELU layer as wide as the state comes first, as in Hugging
            Face's sequence classification; `dense_1` then gives the outputs.
    """

    def __init__(
        self,
        name: str,
        initializers: Initializers,
        hidden_size: int,
        num_outputs: int,
        dropout_rate: float,
        has_hidden_layer: bool = False,
    ):
        super().__init__(name, initializers, hidden_size)
        self.dropout_rate = dropout_rate
        self.hidden_layer = None
        if has_hidden_layer:
            self.hidden_layer = self.dense(hidden_size, "dense", ACTIVATIONS["gelu"])
        self.output_layer = self.dense(num_outputs, "dense_1" if has_hidden_layer else "dense")

    def build(self, input_shape: tuple[int | None, ...] | None = None) -> None:
        if self.hidden_layer is not None:
            self.hidden_layer.build((None, self.hidden_size))
        self.output_layer.build((None, self.hidden_size))
        self.built = True

    def first_token_logits(self, hidden: tf.Tensor, seed: tf.Tensor | None) -> tf.Tensor:
        pooled = hidden[:, 0]
        if self.hidden_layer is not None:
            first = None
            if seed is not None:
                first, seed = split_seed(seed, 2)
            pooled = self.hidden_layer(dropout(pooled, self.dropout_rate, first))
        pooled = dropout(pooled, self.dropout_rate, seed)
        return tf.cast(self.output_layer(pooled), tf.float32)


class ClassificationHead(SequenceHead):
    """One of several classes."""

    def __init__(
        self,
        *args: Any,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] = (),
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        self.label_smoothing = label_smoothing
        self.class_weights = class_weights

    def call(
        self,
        hidden: tf.Tensor,
        features: Mapping[str, tf.Tensor],
        seed: tf.Tensor | None = None,
        training: bool = False,
    ) -> dict[str, tf.Tensor]:
        logits = self.first_token_logits(hidden, seed)
        outputs = {"logits": logits, "predictions": tf.argmax(logits, axis=-1)}
        outputs |= self._passed_on(features, "label_ids")
        if "label_ids" in outputs:
            outputs["loss"] = weighted_cross_entropy(
                logits, outputs["label_ids"], self.label_smoothing, self.class_weights
            )
        return outputs


class MultiLabelHead(SequenceHead):
    """Any number of classes at once; `<task>_label_ids` is 0 or 1 for each, [B, C]."""

    def call(
        self,
        hidden: tf.Tensor,
        features: Mapping[str, tf.Tensor],
        seed: tf.Tensor | None = None,
        training: bool = False,
    ) -> dict[str, tf.Tensor]:
        logits = self.first_token_logits(hidden, seed)
        outputs = {"logits": logits, "predictions": tf.cast(logits > 0, tf.int32)}
        outputs |= self._passed_on(features, "label_ids")
        if "label_ids" in outputs:
            labels = tf.cast(outputs["label_ids"], tf.float32)
            losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
            outputs["loss"] = tf.reduce_sum(losses, axis=-1)
        return outputs


class RegressionHead(SequenceHead):
    """A number; squared error."""

    def call(
        self,
        hidden: tf.Tensor,
        features: Mapping[str, tf.Tensor],
        seed: tf.Tensor | None = None,
        training: bool = False,
    ) -> dict[str, tf.Tensor]:
        predictions = self.first_token_logits(hidden, seed)[:, 0]
        outputs = {"predictions": predictions, **self._passed_on(features, "targets")}
        if "targets" in outputs:
            outputs["loss"] = tf.square(predictions - outputs["targets"])
        return outputs


class TaggingHead(TaskHead):
    """A class for each labelled position; the loss is summed over the words of a sequence."""

    def __init__(
        self,
        name: str,
        initializers: Initializers,
        hidden_size: int,
        num_labels: int,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] = (),
    ):
        super().__init__(name, initializers, hidden_size)
        self.label_smoothing = label_smoothing
        self.class_weights = class_weights
        self.output_layer = self.dense(num_labels, "dense")

    def build(self, input_shape: tuple[int | None, ...] | None = None) -> None:
        self.output_layer.build((None, None, self.hidden_size))
        self.built = True

    def call(
        self,
        hidden: tf.Tensor,
        features: Mapping[str, tf.Tensor],
        seed: tf.Tensor | None = None,
        training: bool = False,
    ) -> dict[str, tf.Tensor]:
        positions = self.labels(features, "labeled_positions")
        words = tf.gather(hidden, positions, batch_dims=1)
        logits = tf.cast(self.output_layer(words), tf.float32)
        outputs = {
            "logits": logits,
            "predictions": tf.argmax(logits, axis=-1),
            "probability": tf.reduce_max(tf.nn.softmax(logits), axis=-1),
        }
        outputs |= self._passed_on(features, "labels", "labels_mask")
        if "labels" in outputs:
            losses = weighted_cross_entropy(
                logits, outputs["labels"], self.label_smoothing, self.class_weights
            )
            outputs["loss"] = tf.reduce_sum(losses * outputs["labels_mask"], axis=-1)
        return outputs
