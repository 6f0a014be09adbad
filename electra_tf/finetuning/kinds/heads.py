# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""One head per kind of task: from hidden states to outputs and the loss of each example.

Variables are named as in the original (`dense`, `dense_1`, `qa_hidden`, ...). Outputs carry the
original's names; `loss` [B] is there if the features have labels. Where a head drops out, it does
so with the seed it is given.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from electra_tf.model import Initializers
from electra_tf.model.layers import ACTIVATIONS, gelu
from electra_tf.model.random_numbers import dropout
from electra_tf.seeds import split_seed

Tensors = dict[str, tf.Tensor]


class TaskHead(keras.layers.Layer):
    """A head named after its task; finds its labels among the features by that name.

    Args:
        label_smoothing, class_weights: of `cross_entropy`, for heads that use it.
    """

    label_names: tuple[str, ...] = ()
    """Features, behind the name of the task, that the loss is computed from."""

    def __init__(
        self,
        name: str,
        initializers: Initializers,
        hidden_size: int,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] = (),
    ):
        super().__init__(name=name)
        self.initializers = initializers
        self.hidden_size = hidden_size
        self.label_smoothing = label_smoothing
        self.class_weights = class_weights

    def dense(
        self, units: int, name: str, activation: Callable[[tf.Tensor], tf.Tensor] | None = None
    ) -> keras.layers.Dense:
        return keras.layers.Dense(
            units, activation=activation, kernel_initializer=self.initializers.glorot, name=name
        )

    def input_widths(self) -> list[tuple[keras.layers.Dense | None, int]]:
        """The layers, None for those that an option leaves out, and the width of what they read."""
        raise NotImplementedError

    def build(self, input_shape: tuple[int | None, ...] | None = None) -> None:
        for layer, width in self.input_widths():
            if layer is not None:
                layer.build((None, width))
        self.built = True

    def call(self, hidden: tf.Tensor, features: Tensors, seed: tf.Tensor | None = None) -> Tensors:
        names = [name for name in (*self.label_names, "eid") if f"{self.name}_{name}" in features]
        labels = {name: self.feature(features, name) for name in names}
        outputs = self.outputs(hidden, features, seed) | labels
        if self.label_names[0] in labels:
            outputs["loss"] = self.loss(outputs)
        return outputs

    def feature(self, features: Tensors, name: str) -> tf.Tensor:
        return features[f"{self.name}_{name}"]

    def outputs(self, hidden: tf.Tensor, features: Tensors, seed: tf.Tensor | None) -> Tensors:
        """What is computed without labels; seed: of dropout, given in training."""
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
        num_outputs: classes, or 1 for regression.
        dropout_rate: before each layer.
        has_hidden_layer: whether a GELU layer as wide as the state comes first, as in Hugging
            Face's sequence classification; `dense_1` then gives the outputs.
    """

    label_names = ("label_ids",)

    def __init__(
        self,
        name: str,
        initializers: Initializers,
        hidden_size: int,
        num_outputs: int,
        dropout_rate: float,
        has_hidden_layer: bool = False,
        **options: Any,
    ):
        super().__init__(name, initializers, hidden_size, **options)
        self.dropout_rate = dropout_rate
        self.hidden_layer = None
        if has_hidden_layer:
            self.hidden_layer = self.dense(hidden_size, "dense", ACTIVATIONS["gelu"])
        self.output_layer = self.dense(num_outputs, "dense_1" if has_hidden_layer else "dense")

    def input_widths(self) -> list[tuple[keras.layers.Dense | None, int]]:
        return [(self.hidden_layer, self.hidden_size), (self.output_layer, self.hidden_size)]

    def outputs(self, hidden: tf.Tensor, features: Tensors, seed: tf.Tensor | None) -> Tensors:
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


class ClassificationHead(SequenceHead):
    """One of several classes."""

    def outputs_of(self, logits: tf.Tensor) -> Tensors:
        return {"logits": logits, "predictions": tf.argmax(logits, axis=-1)}

    def loss(self, outputs: Tensors) -> tf.Tensor:
        return self.cross_entropy(outputs["logits"], outputs["label_ids"])


class MultiLabelHead(SequenceHead):
    """Any number of classes at once; `<task>_label_ids` is 0 or 1 for each, [B, C]."""

    def outputs_of(self, logits: tf.Tensor) -> Tensors:
        return {"logits": logits, "predictions": tf.cast(logits > 0, tf.int32)}

    def loss(self, outputs: Tensors) -> tf.Tensor:
        labels = tf.cast(outputs["label_ids"], tf.float32)
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=outputs["logits"])
        return tf.reduce_sum(losses, axis=-1)


class RegressionHead(SequenceHead):
    """A number; squared error."""

    label_names = ("targets",)

    def outputs_of(self, logits: tf.Tensor) -> Tensors:
        return {"predictions": logits[:, 0]}

    def loss(self, outputs: Tensors) -> tf.Tensor:
        return tf.square(outputs["predictions"] - outputs["targets"])


class TaggingHead(TaskHead):
    """A class for each labelled position; the loss is summed over the words of a sequence."""

    label_names = ("labels", "labels_mask")

    def __init__(
        self,
        name: str,
        initializers: Initializers,
        hidden_size: int,
        num_labels: int,
        **options: Any,
    ):
        super().__init__(name, initializers, hidden_size, **options)
        self.output_layer = self.dense(num_labels, "dense")

    def input_widths(self) -> list[tuple[keras.layers.Dense | None, int]]:
        return [(self.output_layer, self.hidden_size)]

    def outputs(self, hidden: tf.Tensor, features: Tensors, seed: tf.Tensor | None) -> Tensors:
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


WIDTH = 512
"""Of the hidden layers of the end and answerable classifiers, qa_tasks.py."""
FORBIDDEN = 1000.0
"""Taken off the logits of positions outside of the context."""


class QuestionAnsweringHead(TaskHead):
    """Start and end logits over the context; position 0 stands for "no answer".

    Args:
        joint_prediction: predict the end given the start: in training the right start, otherwise
            each of the `beam_size` most probable ones.
        beam_size: starts, and ends for each of them, that are kept.
        answerable_classifier: whether to learn if the question can be answered.
        answerable_uses_start_logits: whether that classifier sees the expected state of the start.
        answerable_weight: of its loss.

    Outputs: `start_logits`, `end_logits` [B, L], `answerable_logit` [B], and with joint
    prediction `start_top_log_probs`, `start_top_index` [B, K], `end_top_log_probs`,
    `end_top_index` [B, K, K]; what an option leaves undefined is 0, as in the original. Where
    evaluation has labels, `learned_loss` [B] is the loss that training would have.
    """

    label_names = ("start_positions", "end_positions", "is_impossible")

    def __init__(
        self,
        name: str,
        initializers: Initializers,
        hidden_size: int,
        joint_prediction: bool = True,
        beam_size: int = 20,
        answerable_classifier: bool = True,
        answerable_uses_start_logits: bool = True,
        answerable_weight: float = 0.5,
    ):
        super().__init__(name, initializers, hidden_size)
        self.beam_size = beam_size
        self.answerable_weight = answerable_weight
        # Layers without a name of their own are numbered in the order of the original's calls.
        self.start_layer = self.dense(1, "dense")
        self.end_hidden = self.dense(WIDTH, "qa_hidden") if joint_prediction else None
        self.end_layer = self.dense(1, "dense_1")
        self.answerable_hidden = self.answerable_layer = None
        if answerable_classifier and answerable_uses_start_logits:
            self.answerable_hidden = self.dense(WIDTH, "dense_2", activation=gelu)
            self.answerable_layer = self.dense(1, "dense_3")
        elif answerable_classifier:
            self.answerable_layer = self.dense(1, "dense_2")

    def input_widths(self) -> list[tuple[keras.layers.Dense | None, int]]:
        width = self.hidden_size
        return [
            (self.start_layer, width),
            (self.end_hidden, 2 * width),
            (self.end_layer, width if self.end_hidden is None else WIDTH),
            (self.answerable_hidden, 2 * width),
            (self.answerable_layer, width if self.answerable_hidden is None else WIDTH),
        ]

    def outputs(self, hidden: tf.Tensor, features: Tensors, seed: tf.Tensor | None) -> Tensors:
        penalty = _outside_penalty(features)
        start_logits = tf.cast(self.start_layer(hidden)[..., 0], tf.float32) - penalty
        outputs = self._empty_beams(hidden)
        outputs["start_logits"] = start_logits
        if self.end_hidden is None:
            outputs["end_logits"] = tf.cast(self.end_layer(hidden)[..., 0], tf.float32) - penalty
        elif seed is not None:  # in training
            starts = self.feature(features, "start_positions")[:, None]
            outputs["end_logits"] = self._end_logits(hidden, starts)[:, 0] - penalty
            outputs |= self._start_beam(start_logits)
        else:
            outputs |= self._start_beam(start_logits)
            outputs |= self._end_beams(hidden, outputs["start_top_index"], penalty)
            outputs["end_logits"] = tf.zeros_like(start_logits)
            if f"{self.name}_start_positions" in features:  # for the loss alone
                starts = self.feature(features, "start_positions")[:, None]
                outputs["learned_end_logits"] = self._end_logits(hidden, starts)[:, 0] - penalty
        outputs["answerable_logit"] = self._answerable_logit(hidden, start_logits)
        return outputs

    def _end_logits(self, hidden: tf.Tensor, starts: tf.Tensor):
        """Logits of the end given starts int [B, K]: float32 [B, K, L].

        The hidden layer reads the concatenation of the start's and each position's state; its two
        halves are multiplied apart, so that no [B, K, L, 2H] is ever made.
        """
        kernel = tf.cast(tf.convert_to_tensor(self.end_hidden.kernel), hidden.dtype)
        bias = tf.cast(tf.convert_to_tensor(self.end_hidden.bias), hidden.dtype)
        start_states = tf.gather(hidden, starts, batch_dims=1)  # [B, K, H]
        from_start = tf.matmul(start_states, kernel[: self.hidden_size])
        from_end = tf.matmul(hidden, kernel[self.hidden_size :]) + bias
        # [B, K, L, 512]; not by slices that add an axis, which LiteRT does not have.
        both = gelu(tf.expand_dims(from_start, 2) + tf.expand_dims(from_end, 1))
        return tf.cast(self.end_layer(both)[..., 0], tf.float32)

    def _empty_beams(self, hidden: tf.Tensor):
        batch, beam = tf.shape(hidden)[0], self._beam(hidden)
        return {
            "start_top_log_probs": tf.zeros([batch, beam]),
            "start_top_index": tf.zeros([batch, beam], tf.int32),
            "end_top_log_probs": tf.zeros([batch, beam, beam]),
            "end_top_index": tf.zeros([batch, beam, beam], tf.int32),
        }

    def _beam(self, hidden: tf.Tensor):
        length = hidden.shape[1]
        if length is None:  # a graph for rows of any length
            return tf.minimum(self.beam_size, tf.shape(hidden)[1])
        return min(self.beam_size, length)

    def _start_beam(self, start_logits: tf.Tensor):
        top = tf.math.top_k(tf.nn.log_softmax(start_logits), k=self._beam(start_logits))
        return {"start_top_log_probs": top.values, "start_top_index": top.indices}

    def _end_beams(self, hidden: tf.Tensor, starts: tf.Tensor, penalty: tf.Tensor):
        logits = self._end_logits(hidden, starts) - tf.expand_dims(penalty, 1)
        top = tf.math.top_k(tf.nn.log_softmax(logits), k=self._beam(hidden))
        return {"end_top_log_probs": top.values, "end_top_index": top.indices}

    def _answerable_logit(self, hidden: tf.Tensor, start_logits: tf.Tensor):
        if self.answerable_layer is None:
            return tf.zeros([tf.shape(hidden)[0]])
        state = hidden[:, 0]
        if self.answerable_hidden is not None:
            weights = tf.cast(tf.nn.softmax(start_logits), hidden.dtype)
            expected_start = tf.einsum("bl,blh->bh", weights, hidden)
            state = self.answerable_hidden(tf.concat([state, expected_start], axis=-1))
        return tf.cast(self.answerable_layer(state)[..., 0], tf.float32)

    def loss(self, outputs: dict[str, tf.Tensor]) -> tf.Tensor:
        # The original's loss in evaluation has ends that nothing was predicted of; see `learned_loss`.
        is_impossible = outputs.pop("is_impossible")  # no output in the original
        learned = outputs.pop("learned_end_logits", None)
        if learned is not None:
            outputs["learned_loss"] = self._loss_with(outputs, learned, is_impossible)
        return self._loss_with(outputs, outputs["end_logits"], is_impossible)

    def _loss_with(
        self, outputs: Tensors, end_logits: tf.Tensor, is_impossible: tf.Tensor
    ) -> tf.Tensor:
        """The loss [B] of the ends that `end_logits` [B, L] predict."""
        ends = [
            tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels=outputs[f"{side}_positions"], logits=logits
            )
            for side, logits in (("start", outputs["start_logits"]), ("end", end_logits))
        ]
        loss = (ends[0] + ends[1]) / 2.0
        if self.answerable_layer is not None:
            loss += self.answerable_weight * tf.nn.sigmoid_cross_entropy_with_logits(
                labels=tf.cast(is_impossible, tf.float32),
                logits=outputs["answerable_logit"],
            )
        return loss


def _outside_penalty(features: Tensors) -> tf.Tensor:
    """FORBIDDEN outside of the context, 0 in it and at position 0: float32 [B, L]."""
    context = tf.cast(features["input_mask"] * features["segment_ids"], tf.float32)
    allowed = context + tf.one_hot(0, tf.shape(context)[1])
    return FORBIDDEN * (1.0 - allowed)
