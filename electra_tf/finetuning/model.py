# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A pre-trained encoder with one head per task, and the gradient step that trains them."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from electra_tf.accelerators import default_precision
from electra_tf.config import FinetuningConfig
from electra_tf.config.encoder import EncoderConfig
from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.files.data_warnings import choices
from electra_tf.finetuning.kinds import kind_of
from electra_tf.finetuning.kinds.heads import TaskHead
from electra_tf.model import Encoder, Initializers
from electra_tf.model.part import precision_scope
from electra_tf.seeds import Stream, replica_id, split_seed, step_seed
from electra_tf.training.optimization.optimizer import Factors
from electra_tf.training.optimization.updates import Updates, compiled, one_program


def make_head(
    task: TaskSpec, config: FinetuningConfig, initializers: Initializers, hidden_size: int
) -> TaskHead:
    """The head of a task by its kind.

    Raises:
        ValueError: the task's labels are not known yet.
    """
    kind = kind_of(task)
    if kind.has_labels and not task.labels:
        raise ValueError(f"the labels of task {task.name} are expected to be known, but are not.")
    return kind.head(task, config, initializers, hidden_size)


def _check_loss_options(tasks: Sequence[TaskSpec], smoothing: float, weights: Mapping[str, float]):
    """Raise a ValueError unless some head smooths labels and each weight is of a label of one."""
    weighing = [task for task in tasks if kind_of(task).weighs_labels]
    if smoothing and not weighing:
        raise ValueError(
            "label_smoothing is for classification and tagging tasks, and expected to be 0 where "
            f"there are none, but is {smoothing}."
        )
    unknown = sorted(set(weights) - {label for task in weighing for label in task.labels})
    if unknown:
        known = "; ".join(f"{task.name}: {choices(task.labels)}" for task in weighing)
        raise ValueError(
            "class_weights is expected to name labels of classification or tagging tasks "
            f"({known or 'there are none here'}), but names {', '.join(unknown)}."
        )


class TaskHeads(keras.layers.Layer):
    """The heads of all tasks; built on construction."""

    def __init__(self, heads: Sequence[TaskHead]):
        super().__init__(name="task_specific")
        self.heads = list(heads)
        self.build()

    def build(self, input_shape: tuple[int | None, ...] | None = None) -> None:
        for head in self.heads:
            head.build()
        self.built = True

    def call(
        self,
        hidden: tf.Tensor,
        features: Mapping[str, tf.Tensor],
        seeds: Sequence[tf.Tensor | None],
    ) -> dict[str, dict[str, tf.Tensor]]:
        pairs = zip(self.heads, seeds, strict=True)
        return {head.name: head(hidden, features, seed=seed) for head, seed in pairs}


class FinetuningModel(keras.Model):
    """One encoder, one head per task.

    Args:
        config: the run.
        tasks: with their labels known; `task_id` among the features counts them.
        encoder: shape of the encoder; default: what `config` asks for.
        seed: of initial weights and dropout; default: the configuration's.
    """

    def __init__(
        self,
        config: FinetuningConfig,
        tasks: Sequence[TaskSpec],
        encoder: EncoderConfig | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.config = config
        self.tasks = tuple(tasks)
        self.seed = config.seed if seed is None else seed
        _check_loss_options(self.tasks, config.label_smoothing, config.class_weights)
        shape = encoder or config.encoder
        initializers = Initializers(shape.initializer_range, self.seed)
        precision = config.precision or default_precision()
        with precision_scope(precision):
            self.encoder = Encoder(shape, initializers)
        self.task_heads = TaskHeads(
            [make_head(task, config, initializers, shape.hidden_size) for task in self.tasks]
        )
        self.running_loss = keras.metrics.Mean(name="loss")
        self.updates = Updates(self, precision)
        self._forward_and_backward = compiled(self._loss_and_gradients, config.jit_compile)
        self._update = one_program(self._update_from, config.jit_compile)
        self.built = True

    def compute_outputs(
        self,
        features: Mapping[str, tf.Tensor],
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> dict[str, dict]:
        """Outputs of every task for every row.

        Args:
            features: `input_ids, input_mask, segment_ids` int32 [B, L], `task_id` int32 [B] and
                the labels of the tasks, as far as known.
            training: whether to drop out.
            seed: int32 [2], of dropout.

        Returns:
            Task name -> its head's outputs.
        """
        encoder_seed, head_seeds = None, [None] * len(self.tasks)
        if training:
            if seed is None:
                seed = tf.constant([self.seed % 2**31, 0], tf.int32)
            encoder_seed, *head_seeds = split_seed(seed, 1 + len(self.tasks))
        hidden = self.encoder(features, seed=encoder_seed).last_hidden_state
        return self.task_heads(hidden, features, seeds=head_seeds)

    def total_loss(
        self, outputs: Mapping[str, Mapping[str, tf.Tensor]], features: Mapping[str, tf.Tensor]
    ) -> tf.Tensor:
        """Sum over the batch of each row's loss in its own task, as in the original, float32 []."""
        losses = tf.stack([outputs[task.name]["loss"] for task in self.tasks], axis=-1)
        own_task = tf.one_hot(features["task_id"], len(self.tasks))  # [B, tasks]
        return tf.reduce_sum(losses * own_task)

    def call(
        self, features: Mapping[str, tf.Tensor], training: bool = False
    ) -> dict[str, dict[str, tf.Tensor]]:
        return self.compute_outputs(features, training=training)

    def train_step(self, features: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update on this replica's part of the global batch.

        Returns:
            `loss` [], this replica's share of the summed loss, and `gradient_norm`.
        """
        return self._update(features)

    def _update_from(self, features: Mapping[str, tf.Tensor]):
        seed = step_seed(self.seed, Stream.TRAINING, self.optimizer.iterations, replica_id())
        loss, gradients = self._forward_and_backward(features, seed)
        norm = self.updates.apply(gradients)
        # The original reports sums; a mean says more, and clipping makes the step the same.
        self.running_loss.update_state(loss / tf.cast(tf.shape(features["task_id"])[0], tf.float32))
        return {"loss": loss, "gradient_norm": norm}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [self.running_loss]

    def _loss_and_gradients(self, features: Mapping[str, tf.Tensor], seed: tf.Tensor):
        """Loss [] and its dense gradients (scaled, for float16)."""
        with tf.GradientTape() as tape:
            outputs = self.compute_outputs(features, training=True, seed=seed)
            loss = self.total_loss(outputs, features)
            scaled = self.updates.scaled(loss)
        # A task of which the batch has no row has no gradient.
        variables = [variable.value for variable in self.trainable_variables]
        gradients = tape.gradient(scaled, variables, unconnected_gradients="zero")
        return loss, [tf.convert_to_tensor(gradient) for gradient in gradients]


def layerwise_factors(decay: float, num_layers: int) -> Factors:
    """Factors of the learning rate by variable path (optimization.py _get_layer_lrs).

    Heads have 1, the top layer decay^2 (the original leaves one power out), each layer below one
    power more, embeddings decay^(layers + 2).

    Args:
        decay: factor per layer; 0 for 1 everywhere.
        num_layers: layers of the encoder.
    """
    top = num_layers + 2

    def factor(depth: int) -> float:
        return decay ** (top - depth) if decay else 1.0

    layers = ((f"encoder/layer_{i}/", factor(i + 1)) for i in range(num_layers))
    return (
        ("task_specific/", factor(top)),
        *layers,
        ("/embeddings/|/embeddings_project/", factor(0)),
    )
