# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A pre-trained encoder with one head per task, and the gradient step that trains them."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from absl import logging

from electra_tf.accelerators import default_precision, is_compiled
from electra_tf.config import FinetuningConfig, check
from electra_tf.config.encoder import EncoderConfig
from electra_tf.config.stored import as_stored, from_stored
from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.files.data_warnings import choices
from electra_tf.finetuning.kinds import kind_of
from electra_tf.finetuning.kinds.heads import TaskHead
from electra_tf.model import Encoder, Initializers
from electra_tf.model.fused import fused_on_cpus
from electra_tf.model.part import (
    freeze_weights,
    frozen_weights,
    policy_scope,
    precision_scope,
    serializable,
)
from electra_tf.seeds import SeedSource, Stream, replica_id, split_seed, step_seed
from electra_tf.training.distribution.replicas import is_spread
from electra_tf.training.optimization.updates import Updates, compiled, one_program

_NOT_COMPILED = (
    "jit_compile: XLA does not compile the step, in which replicas exchange rows, the negatives of "
    "embeddings."
)


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


@serializable
class TaskHeads(keras.layers.Layer):
    """The heads of all tasks; built on construction.

    Call: hidden [B, L, H], features, and a seed for each head, see `TaskHead` -> task name -> its
    head's outputs.

    Args:
        heads: unbuilt ones.
        name: first part of the names of their variables.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, heads: Sequence[TaskHead], name: str = "task_specific", **kwargs: Any):
        super().__init__(name=name, **kwargs)
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
        seeds: Sequence[tf.Tensor | None] | None = None,
        training: bool | None = None,
    ) -> dict[str, dict[str, tf.Tensor]]:
        pairs = zip(self.heads, seeds or [None] * len(self.heads), strict=True)
        return {
            head.name: head(hidden, features, seed=seed, training=training) for head, seed in pairs
        }

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor, JSON-serializable."""
        heads = [keras.saving.serialize_keras_object(head) for head in self.heads]
        for head in heads:
            head.pop("build_config", None)  # they are built together, under one name
        return {**super().get_config(), "heads": heads}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "TaskHeads":
        """Heads with new weights, from what `get_config` gave."""
        heads = [keras.saving.deserialize_keras_object(head) for head in config["heads"]]
        return cls(**{**config, "heads": heads})


@serializable
class FinetuningModel(keras.Model):
    """One encoder, one head per task.

    Call: features as of `compute_outputs` -> task name -> its head's outputs. `fit` and `evaluate`
    take datasets, or dicts of arrays, of the same features with the labels of the tasks among them;
    the loss is that of the heads. `sample_weight` float32 [B] among the features weighs the losses
    of the rows.

    Args:
        config: the run.
        tasks: with their labels known; `task_id` among the features counts them.
        encoder: shape of the encoder; default: what `config` asks for.
        seed: of initial weights and dropout; default: the configuration's.
        **kwargs: of `keras.Model`: name, dtype, trainable.
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
        # ---- Layers
        _check_loss_options(tasks, config.label_smoothing, config.class_weights)
        shape = encoder or config.encoder
        seed = config.seed if seed is None else seed
        initializers = Initializers(shape.initializer_range, seed)
        precision = config.precision or default_precision()
        with precision_scope(precision):
            self.encoder = Encoder(shape, initializers)
        with policy_scope("float32"):
            self.task_heads = TaskHeads(
                [make_head(task, config, initializers, shape.hidden_size) for task in tasks]
            )
        # ---- Training
        self.running_loss = keras.metrics.Mean(name="loss")
        self.running_norm = keras.metrics.Mean(name="gradient_norm")
        self.updates = Updates(self, precision)
        self.seed_source = SeedSource()
        self._is_observed = False
        self._compile_steps(config.jit_compile)
        self.built = True
        # ---- Config
        self.config = config
        self.tasks = tuple(tasks)
        self.seed = seed

    # ---- Outputs and loss

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
            seed: int32 [2], of dropout; None for another one at each call.

        Returns:
            Task name -> its head's outputs.
        """
        encoder_seed, head_seeds = None, None
        if training:
            seed = self.seed_source.next() if seed is None else seed
            encoder_seed, *head_seeds = split_seed(seed, 1 + len(self.tasks))
        hidden = self.encoder(features, seed=encoder_seed).last_hidden_state
        return self.task_heads(hidden, features, seeds=head_seeds)

    def total_loss(
        self, outputs: Mapping[str, Mapping[str, tf.Tensor]], features: Mapping[str, tf.Tensor]
    ) -> tf.Tensor:
        """Sum over the batch of each row's loss in its own task, as in the original, float32 []."""
        found = [outputs[task.name] for task in self.tasks]
        losses = tf.stack([each.get("learned_loss", each["loss"]) for each in found], axis=-1)
        own_task = tf.one_hot(features["task_id"], len(self.tasks))  # [B, tasks]
        losses = tf.reduce_sum(losses * own_task, axis=-1)
        if "sample_weight" in features:
            losses *= features["sample_weight"]
        return tf.reduce_sum(losses)

    def call(
        self, features: Mapping[str, tf.Tensor], training: bool = False
    ) -> dict[str, dict[str, tf.Tensor]]:
        return self.compute_outputs(features, training=training)

    # ---- Steps

    def compile(
        self,
        optimizer: str | keras.optimizers.Optimizer = "rmsprop",
        loss: None = None,
        jit_compile: bool | str | None = "auto",
        **options: Any,
    ) -> None:
        """As `keras.Model.compile`; what is trainable counts as it is now.

        Args:
            optimizer: of any kind.
            loss: None, since heads have their own.
            jit_compile: whether XLA compiles forward and backward pass; "auto": as the
                configuration says.
            **options: others of Keras, such as metrics. They compare labels with probabilities, or
                with scores; of a model of several tasks they are given by task, as {task: [...]}.

        Raises:
            ValueError: a loss is given.
        """
        check(loss is None, "loss", "None, since heads have their own", loss)
        # Metrics look at a number of rows that differs, which XLA does not compile.
        super().compile(optimizer=optimizer, jit_compile=False, **options)
        self._is_observed = bool(options.get("metrics") or options.get("weighted_metrics"))
        self._compile_steps(self.config.jit_compile if jit_compile == "auto" else jit_compile)

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        options = keras.saving.deserialize_keras_object(config)
        self.compile(**{key: value for key, value in options.items() if key != "jit_compile"})
        self.optimizer.build(self.trainable_variables)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One update in `fit`; returns the means over the epoch so far."""
        features = _features_of(data)
        found = self._update(features)
        return self.compute_metrics(features, None, found.get("outputs"))

    def update(self, features: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update on this replica's part of the global batch.

        Returns:
            `loss` [], this replica's share of the summed loss, and `gradient_norm`.
        """
        return self._update(features)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """The loss of labelled rows, averaged over all so far, and what `compile` was given."""
        features = _features_of(data)
        outputs = self.compute_outputs(features)
        self._count_loss(self.total_loss(outputs, features), features)
        found = self.compute_metrics(features, None, outputs)
        return {name: value for name, value in found.items() if name != self.running_norm.name}

    def compute_metrics(
        self,
        x: Mapping[str, tf.Tensor],
        y: None,
        y_pred: Mapping[str, Mapping[str, tf.Tensor]] | None,
        sample_weight: None = None,
    ) -> dict[str, tf.Tensor]:
        """Count what the metrics of `compile` compare; returns all metrics so far.

        Args:
            x: features of a batch; fillers of it, and padding, count nothing.
            y: not used, since labels are among the features.
            y_pred: what `compute_outputs` gave; None to count nothing.
            sample_weight: not used, since weights are among the features.
        """
        if not self._is_observed or y_pred is None:
            return self.get_metrics_result()
        found = {task.name: self._compared(n, x, y_pred) for n, task in enumerate(self.tasks)}
        if len(self.tasks) == 1:
            return super().compute_metrics(x, *found[self.tasks[0].name])
        labels, predictions, weights = (
            {name: parts[i] for name, parts in found.items()} for i in range(3)
        )
        return super().compute_metrics(x, labels, predictions, weights)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        own = [self.running_loss, self.running_norm]
        # Keras keeps another mean of the name "loss" for losses that `compile` is given.
        return own + [m for m in super().metrics if m.name not in ("loss", "gradient_norm")]

    def _compared(self, number: int, features: Mapping[str, tf.Tensor], outputs: Mapping):
        """Labels, predictions and weights of what there is of a task in a batch."""
        task = self.tasks[number]
        labels, predictions, is_real = kind_of(task).compared(task, outputs[task.name])
        is_own = features["task_id"] == number
        weights = features.get("sample_weight", tf.ones(tf.shape(is_own)))
        if is_real is not None:  # several in a row
            is_own, weights = (
                is_own[:, None] & is_real,
                weights[:, None] * tf.cast(is_real, tf.float32),
            )
        return tuple(tf.boolean_mask(part, is_own) for part in (labels, predictions, weights))

    def _compile_steps(self, jit_compile: bool | None):
        self._jit_compile = jit_compile
        self._forward_and_backward = compiled(self._loss_and_gradients, jit_compile)
        self._update = one_program(self._update_from, jit_compile)

    def _update_from(self, features: Mapping[str, tf.Tensor]):
        seed = step_seed(self.seed, Stream.TRAINING, self.optimizer.iterations, replica_id())
        compute = self._forward_and_backward
        if is_spread() and any(head.exchanges_rows for head in self.task_heads.heads):
            compute = self._loss_and_gradients
            if is_compiled(self._jit_compile):
                logging.log_first_n(logging.WARNING, _NOT_COMPILED, 1)
        loss, gradients, observed = compute(features, seed)
        norm = self.updates.apply(gradients)
        self._count_loss(loss, features)
        self.running_norm.update_state(norm)
        return {"loss": loss, "gradient_norm": norm, **observed}

    def _count_loss(self, loss: tf.Tensor, features: Mapping[str, tf.Tensor]):
        # The original reports sums; a mean says more, and clipping makes the step the same.
        rows = tf.reduce_sum(tf.cast(features["task_id"] < len(self.tasks), tf.float32))
        self.running_loss.update_state(tf.math.divide_no_nan(loss, rows), sample_weight=rows)

    @fused_on_cpus()
    def _loss_and_gradients(self, features: Mapping[str, tf.Tensor], seed: tf.Tensor):
        """Loss [], its dense gradients (scaled, for float16), and `outputs` for metrics."""
        with tf.GradientTape() as tape:
            outputs = self.compute_outputs(features, training=True, seed=seed)
            loss = self.total_loss(outputs, features)
            scaled = self.updates.scaled(loss)
        # A task of which the batch has no row has no gradient.
        variables = [variable.value for variable in self.trainable_variables]
        gradients = tape.gradient(scaled, variables, unconnected_gradients="zero")
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        return loss, gradients, {"outputs": outputs} if self._is_observed else {}

    # ---- Config

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor, JSON-serializable."""
        return {
            **super().get_config(),
            "config": as_stored(self.config),
            "tasks": as_stored(self.tasks),
            "encoder": as_stored(self.encoder.config),
            "seed": self.seed,
            "frozen": frozen_weights(self),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "FinetuningModel":
        """A model with new weights, from what `get_config` gave."""
        model = cls(**arguments_of(config))
        freeze_weights(model, config["frozen"])
        return model


def arguments_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a `FinetuningModel` from its configuration, as a file may hold it."""
    where = "the configuration of the model"
    return {
        **{name: value for name, value in config.items() if name != "frozen"},
        "config": from_stored(FinetuningConfig, config["config"], where),
        "tasks": [from_stored(TaskSpec, task, where) for task in config["tasks"]],
        "encoder": from_stored(EncoderConfig, config["encoder"], where),
    }


def _features_of(data: Any) -> Mapping[str, tf.Tensor]:
    """The features of a batch of `fit` or `evaluate`, with its weights.

    Raises:
        ValueError: there are labels beside the features.
    """
    features, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
    if labels is not None or not isinstance(features, Mapping):
        raise ValueError(
            "x is expected to be the features by name, the labels of the tasks among them, and y "
            "to be None, but there are features and labels apart."
        )
    return features if weights is None else {**features, "sample_weight": weights}
