# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Heads of tasks, except for questions: from hidden states to outputs and each example's loss.

Variables are named as in the original (`dense`, `dense_1`, `qa_hidden`, ...). Outputs carry the
original's names; `loss` [B] exists if the features have labels. Where a head drops out, it does
so as the parts of encoders do, see `model.part.EncoderPart`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from electra_tf.model import Initializers
from electra_tf.model.layers import ACTIVATIONS
from electra_tf.model.part import serializable
from electra_tf.model.random_numbers import dropout
from electra_tf.seeds import SeedSource, split_seed

Tensors = dict[str, tf.Tensor]


class TaskHead(keras.layers.Layer):
    """A head named after its task; finds its labels among the features by that name.

    Call: hidden [B, L, H], features -> outputs by name. A seed, int32 [2], decides what is dropped;
    with `training=True` and none, it is another one at each call.

    Args:
        name: of the task.
        initializers: of the weights.
        hidden_size: H.
        label_smoothing: of `cross_entropy`, for heads that use it.
        class_weights: likewise.
        **kwargs: of `keras.layers.Layer`: dtype, trainable.
    """

    label_names: tuple[str, ...] = ()
    """Features, behind the name of the task, that the loss is computed from."""
    exchanges_rows: bool = False
    """Whether the loss of a replica needs the rows of the others."""
    own_arguments: tuple[str, ...] = ()
    """Of the constructor, besides those of `TaskHead`; attributes of these names hold them."""
    pretrained_part: str | None = None
    """The head of a pre-trained model with whose weights it begins; None for random ones."""

    def __init__(
        self,
        name: str,
        initializers: Initializers,
        hidden_size: int,
        *,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] = (),
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        self.initializers = initializers
        self.hidden_size = hidden_size
        self.label_smoothing = label_smoothing
        self.class_weights = tuple(class_weights)

    def dense(
        self, units: int, name: str, activation: Callable[[tf.Tensor], tf.Tensor] | None = None
    ) -> keras.layers.Dense:
        return keras.layers.Dense(
            units,
            activation=activation,
            kernel_initializer=self.initializers.glorot,
            name=name,
            dtype=self.dtype_policy,
        )

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor, JSON-serializable."""
        return {
            **super().get_config(),
            "initializers": self.initializers.get_config(),
            "hidden_size": self.hidden_size,
            "label_smoothing": self.label_smoothing,
            "class_weights": list(self.class_weights),
            **{name: getattr(self, name) for name in self.own_arguments},
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "TaskHead":
        """A head with new weights, from what `get_config` gave."""
        return cls(**{**config, "initializers": Initializers(**config["initializers"])})

    def input_widths(self) -> list[tuple[keras.layers.Dense | None, int]]:
        """The layers, None for those that an option leaves out, and the width of what they read."""
        raise NotImplementedError

    def build(self, input_shape: tuple[int | None, ...] | None = None) -> None:
        for layer, width in self.input_widths():
            if layer is not None:
                layer.build((None, width))
        self.built = True

    def call(
        self,
        hidden: tf.Tensor,
        features: Tensors,
        seed: tf.Tensor | None = None,
        training: bool | None = None,
    ) -> Tensors:
        training = seed is not None if training is None else training
        names = [name for name in (*self.label_names, "eid") if f"{self.name}_{name}" in features]
        labels = {name: self.feature(features, name) for name in names}
        outputs = self.outputs(hidden, features, seed if training else None, training) | labels
        if self.label_names[0] in labels:
            outputs["loss"] = self.loss(outputs)
        return outputs

    def feature(self, features: Tensors, name: str) -> tf.Tensor:
        return features[f"{self.name}_{name}"]

    def outputs(
        self, hidden: tf.Tensor, features: Tensors, seed: tf.Tensor | None, training: bool
    ) -> Tensors:
        """What is computed without labels; the seed is of dropout, and may be None in training."""
        raise NotImplementedError

    def loss(self, outputs: Tensors) -> tf.Tensor:
        """The loss [B], from outputs and labels."""
        raise NotImplementedError

    def cross_entropy(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Cross-entropy with smoothed labels, times the weight of the label's class.

        `label_smoothing` is the share of the probability that is spread evenly over all classes;
        without `class_weights` all are 1.

        Args:
            logits: float32 [..., C].
            labels: int32 [...].
        """
        classes = logits.shape[-1]
        targets = tf.one_hot(labels, classes) * (1.0 - self.label_smoothing)
        targets += self.label_smoothing / classes
        losses = tf.nn.softmax_cross_entropy_with_logits(labels=targets, logits=logits)
        if self.class_weights:
            losses *= tf.gather(tf.constant(self.class_weights, tf.float32), labels)
        return losses


class SequenceHead(TaskHead):
    """A linear layer on the first token's state.

    Args:
        *common: name, initializers and hidden_size, see `TaskHead`.
        num_outputs: classes, or 1 for regression.
        dropout_rate: before each layer.
        has_hidden_layer: whether a GELU layer as wide as the state comes first, as in Hugging
            Face's sequence classification; `dense_1` then gives the outputs.
        **options: others of `TaskHead`.
    """

    label_names = ("label_ids",)
    own_arguments = ("num_outputs", "dropout_rate", "has_hidden_layer")

    def __init__(
        self,
        *common: Any,
        num_outputs: int,
        dropout_rate: float,
        has_hidden_layer: bool = False,
        **options: Any,
    ):
        super().__init__(*common, **options)
        self.num_outputs = num_outputs
        self.dropout_rate = dropout_rate
        self.has_hidden_layer = has_hidden_layer
        self.seed_source = SeedSource()
        self.hidden_layer = None
        if has_hidden_layer:
            self.hidden_layer = self.dense(self.hidden_size, "dense", ACTIVATIONS["gelu"])
        self.output_layer = self.dense(num_outputs, "dense_1" if has_hidden_layer else "dense")

    def input_widths(self) -> list[tuple[keras.layers.Dense | None, int]]:
        return [(self.hidden_layer, self.hidden_size), (self.output_layer, self.hidden_size)]

    def outputs(
        self, hidden: tf.Tensor, features: Tensors, seed: tf.Tensor | None, training: bool
    ) -> Tensors:
        if training and seed is None:
            seed = self.seed_source.next()
        return self.outputs_of(self.logits(hidden, seed))

    def logits(self, hidden: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """What the last layer gives for hidden states [B, L, H], float32 [B, num_outputs]."""
        pooled = hidden[:, 0]
        if self.hidden_layer is not None:
            first = None
            if seed is not None:
                first, seed = split_seed(seed, 2)
            pooled = self.hidden_layer(dropout(pooled, self.dropout_rate, first))
        pooled = dropout(pooled, self.dropout_rate, seed)
        return tf.cast(self.output_layer(pooled), tf.float32)

    def outputs_of(self, logits: tf.Tensor) -> Tensors:
        """The outputs from `logits`."""
        raise NotImplementedError


@serializable
class ClassificationHead(SequenceHead):
    """One of several classes."""

    def outputs_of(self, logits: tf.Tensor) -> Tensors:
        return {"logits": logits, "predictions": tf.argmax(logits, axis=-1)}

    def loss(self, outputs: Tensors) -> tf.Tensor:
        return self.cross_entropy(outputs["logits"], outputs["label_ids"])


@serializable
class MultiLabelHead(SequenceHead):
    """Any number of classes at once; `<task>_label_ids` is 0 or 1 for each, [B, C]."""

    def outputs_of(self, logits: tf.Tensor) -> Tensors:
        return {"logits": logits, "predictions": tf.cast(logits > 0, tf.int32)}

    def loss(self, outputs: Tensors) -> tf.Tensor:
        labels = tf.cast(outputs["label_ids"], tf.float32)
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=outputs["logits"])
        return tf.reduce_sum(losses, axis=-1)


@serializable
class RegressionHead(SequenceHead):
    """A number; squared error."""

    label_names = ("targets",)

    def outputs_of(self, logits: tf.Tensor) -> Tensors:
        return {"predictions": logits[:, 0]}

    def loss(self, outputs: Tensors) -> tf.Tensor:
        return tf.square(outputs["predictions"] - outputs["targets"])


@serializable
class TaggingHead(TaskHead):
    """A class for each labelled position; the loss is summed over the words of a sequence.

    Args are those of `TaskHead` and `num_labels`, how many classes there are.
    """

    label_names = ("labels", "labels_mask")
    own_arguments = ("num_labels",)

    def __init__(self, *common: Any, num_labels: int, **options: Any):
        super().__init__(*common, **options)
        self.num_labels = num_labels
        self.output_layer = self.dense(num_labels, "dense")

    def input_widths(self) -> list[tuple[keras.layers.Dense | None, int]]:
        return [(self.output_layer, self.hidden_size)]

    def outputs(
        self, hidden: tf.Tensor, features: Tensors, seed: tf.Tensor | None, training: bool
    ) -> Tensors:
        words = tf.gather(hidden, self.feature(features, "labeled_positions"), batch_dims=1)
        logits = tf.cast(self.output_layer(words), tf.float32)
        return {
            "logits": logits,
            "predictions": tf.argmax(logits, axis=-1),
            "probability": tf.reduce_max(tf.nn.softmax(logits), axis=-1),
        }

    def loss(self, outputs: Tensors) -> tf.Tensor:
        losses = self.cross_entropy(outputs["logits"], outputs["labels"])
        return tf.reduce_sum(losses * outputs["labels_mask"], axis=-1)
