# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The head of questions: where in its context the answer to each begins and ends."""

from typing import Any

import keras
import tensorflow as tf

from electra_tf.finetuning.kinds.heads import TaskHead, Tensors
from electra_tf.model.layers import gelu
from electra_tf.model.part import serializable

WIDTH = 512
"""Of the hidden layers of the end and answerable classifiers, qa_tasks.py."""
FORBIDDEN = 1000.0
"""Taken off the logits of positions outside of the context."""


@serializable
class QuestionAnsweringHead(TaskHead):
    """Start and end logits over the context; position 0 stands for "no answer".

    Args:
        *common: name, initializers and hidden_size, see `TaskHead`.
        joint_prediction: predict the end given the start: in training the right start, otherwise
            each of the `beam_size` most probable ones.
        beam_size: starts, and ends for each of them, that are kept.
        answerable_classifier: whether to learn if the question can be answered.
        answerable_uses_start_logits: whether that classifier sees the expected state of the start.
        answerable_weight: of its loss.
        **options: others of `TaskHead`.

    Outputs: `start_logits`, `end_logits` [B, L], `answerable_logit` [B], and with joint
    prediction `start_top_log_probs`, `start_top_index` [B, K], `end_top_log_probs`,
    `end_top_index` [B, K, K]; what an option leaves undefined is 0, as in the original. Where
    evaluation has labels, `learned_loss` [B] is the loss that training would have.
    """

    label_names = ("start_positions", "end_positions", "is_impossible")
    own_arguments = (
        *("joint_prediction", "beam_size", "answerable_classifier"),
        *("answerable_uses_start_logits", "answerable_weight"),
    )

    def __init__(
        self,
        *common: Any,
        joint_prediction: bool = True,
        beam_size: int = 20,
        answerable_classifier: bool = True,
        answerable_uses_start_logits: bool = True,
        answerable_weight: float = 0.5,
        **options: Any,
    ):
        super().__init__(*common, **options)
        self.joint_prediction = joint_prediction
        self.beam_size = beam_size
        self.answerable_classifier = answerable_classifier
        self.answerable_uses_start_logits = answerable_uses_start_logits
        self.answerable_weight = answerable_weight
        # Layers without a given name are numbered in the order of the original's calls.
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

    def outputs(
        self, hidden: tf.Tensor, features: Tensors, seed: tf.Tensor | None, training: bool
    ) -> Tensors:
        penalty = _outside_penalty(features)
        start_logits = tf.cast(self.start_layer(hidden)[..., 0], tf.float32) - penalty
        outputs = self._empty_beams(hidden)
        is_labelled = f"{self.name}_start_positions" in features
        outputs["start_logits"] = start_logits
        if self.end_hidden is None:
            outputs["end_logits"] = tf.cast(self.end_layer(hidden)[..., 0], tf.float32) - penalty
        elif training and is_labelled:
            starts = self.feature(features, "start_positions")[:, None]
            outputs["end_logits"] = self._end_logits(hidden, starts)[:, 0] - penalty
            outputs |= self._start_beam(start_logits)
        else:
            outputs |= self._start_beam(start_logits)
            outputs |= self._end_beams(hidden, outputs["start_top_index"], penalty)
            outputs["end_logits"] = tf.zeros_like(start_logits)
            if is_labelled:  # for the loss alone
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
        # The original's loss in evaluation has ends that nothing predicts; see `learned_loss`.
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
