# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A Keras model of one task that takes raw strings: rows are made by the kind of the task."""

import contextlib
import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import keras
import numpy as np
import tensorflow as tf

from electra_tf.config import FinetuningConfig, check
from electra_tf.config.encoder import EncoderConfig
from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning import starting_weights
from electra_tf.finetuning.evaluation import Evaluation, Evaluator, records_of, scores_of
from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.finetuning.model import FinetuningModel
from electra_tf.finetuning.split_data import SplitData, TrainingBatches, split_of_examples
from electra_tf.finetuning.task import Task
from electra_tf.finetuning.trial import make_optimizer
from electra_tf.task_models.fitting import Validation, checked_size, position_of, row_weights
from electra_tf.task_models.inputs import Given, read, validation_parts
from electra_tf.task_models.kind_of_task import KindOfTask
from electra_tf.task_models.labels import names_of_classes
from electra_tf.task_models.presets import find_preset
from electra_tf.task_models.storing import StoredInFolders
from electra_tf.text import Tokenizer
from electra_tf.training.checkpoints.weights import assign_weights
from electra_tf.training.private_tensorflow import MetricsOfOneReplica

T = TypeVar("T", bound="TaskModel")


class TaskModel(MetricsOfOneReplica, KindOfTask, StoredInFolders, FinetuningModel):
    """A `FinetuningModel` of one task with its tokenizer; made by `from_preset`.

    Args:
        config: hyperparameters.
        tasks: the one task, its labels known.
        encoder: shape of the encoder; default: what `config` asks for.
        seed: see `FinetuningModel`.
        tokenizer: of the texts; None for a model that Keras is loading, whose file brings it.
        is_settled: whether the task stays as it is; else the first labelled data may change it,
            see `settled`.
        **kwargs: of `keras.Model`.

    Attributes:
        encoder: a Keras layer; parts of it that are not `trainable` stay as they are.
        tokenizer: see there.
    """

    def __init__(
        self,
        config: FinetuningConfig,
        tasks: Sequence[TaskSpec],
        encoder: EncoderConfig | None = None,
        seed: int | None = None,
        tokenizer: Tokenizer | None = None,
        is_settled: bool = True,
        **kwargs: Any,
    ):
        super().__init__(config, tasks, encoder, seed, **kwargs)
        self.tokenizer = tokenizer
        self.is_settled = is_settled
        self._recompile: Callable[[keras.optimizers.Optimizer], None] | None = None
        replicas = self.distribute_strategy
        self._evaluator = Evaluator(self, 1, replicas, further=("loss", "learned_loss"))

    @classmethod
    def from_preset(
        cls: type[T],
        folder: str,
        labels: Sequence[str] | None = None,
        *,
        num_classes: int | None = None,
        max_seq_length: int | None = None,
        task: str | None = None,
        **hparams: Any,
    ) -> T:
        """A model with the weights of a folder, ready for `fit`.

        Args:
            folder: that pre-training or fine-tuning wrote here, a checkpoint of the original or its
                folder, a Hugging Face ELECTRA folder, or "hf://owner/name". If it was fine-tuned
                on a task of this kind, it brings head and labels.
            labels: names of the classes in the order of their ids; others than those of the folder
                make a new head.
            num_classes: how many there are, instead of their names; a folder's head of as many
                is kept.
            max_seq_length: tokens of a row, at most.
            task: which of several tasks of a fine-tuned folder.
            **hparams: hyperparameters of fine-tuning, such as learning_rate or seed; none of how a
                command runs, such as num_trials or strategy.

        Raises:
            FileNotFoundError: there is no model there, or no vocabulary.
            ValueError: the arguments are wrong, or do not agree with the folder.
        """
        if max_seq_length is not None:
            hparams["max_seq_length"] = max_seq_length
        fields = cls.fields_of_task(hparams)
        names = names_of_classes(labels, num_classes, cls.least_classes)
        found = find_preset(
            folder, cls.kind, cls.new_task(names), fields, hparams, task, labels is None
        )
        model = cls(
            found.config,
            [found.spec],
            tokenizer=found.tokenizer,
            is_settled=found.brings_head or not cls.is_open or found.spec.prompt is not None,
        )
        if found.brings_head:
            assign_weights(found.weights, model, found.description)
        else:
            starting_weights.assign_weights(model, found)
        model.compile()
        return model

    # ---- Training

    def compile(
        self, optimizer: str | keras.optimizers.Optimizer | None = None, **options: Any
    ) -> None:
        """As `FinetuningModel.compile`; without an optimizer, with that of `run_finetuning.py`.

        That one has a schedule, layer-wise rates, decay and clipping by the hyperparameters. Each
        `fit` makes it anew, since the schedule needs the number of steps.
        """
        is_default = optimizer is None
        self._recompile = functools.partial(super().compile, **options) if is_default else None
        with self.distribute_strategy.scope():
            super().compile(make_optimizer(self.config, 1) if is_default else optimizer, **options)

    def get_compile_config(self) -> dict[str, Any]:
        return {**super().get_compile_config(), "is_default": self._recompile is not None}

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        stored = {name: value for name, value in config.items() if name != "is_default"}
        super().compile_from_config(stored)
        if config["is_default"]:
            options = keras.saving.deserialize_keras_object(stored)
            del options["optimizer"], options["jit_compile"]
            self._recompile = functools.partial(super().compile, **options)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int | None = None,
        verbose: str | int = "auto",
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[Any, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
    ) -> keras.callbacks.History:
        """Train on texts, with the steps of `run_finetuning.py` if the examples are the same.

        Args:
            x: texts, see `inputs.read`.
            y: labels; None for a dataset, which has them inside.
            batch_size: default: train_batch_size of the hyperparameters.
            epochs: default: num_train_epochs.
            verbose: 0 for no progress bar.
            callbacks: of Keras.
            validation_split: share of the examples, the last ones, to evaluate with instead.
            validation_data: (texts, labels), (texts, labels, weights) or a dataset, to `evaluate`.
            shuffle: whether each epoch has a different order, by the seed.
            class_weight: class -> weight of its loss; those left out weigh 1.
            sample_weight: of each example's loss.
            initial_epoch: number of the first epoch; those before it count as done, but the default
                optimizer and its schedule begin anew.
            steps_per_epoch: default: as many as read every row once.
            validation_batch_size: default: eval_batch_size.
            validation_freq: epochs from one evaluation to the next.

        Raises:
            ValueError: texts, labels or weights are not as the task needs them.
        """
        given = self._read(x, y, sample_weight)
        given, validation = self._parted(given, validation_data, validation_split)
        with self._settled_unless_it_fails():
            arrays = self._training_arrays(given, class_weight)
            size = checked_size(batch_size, self.config.train_batch_size)
            batches = TrainingBatches([arrays], size, self.seed if shuffle else None)
            position = position_of(batches, steps_per_epoch, epochs, self.config.num_train_epochs)
            own = [*self._validation(validation, validation_batch_size, validation_freq), position]
        self._make_optimizer(position.num_steps)
        return super().fit(
            # Reading begins in the first epoch, when the first step is known.
            batches.dataset(lambda: (position.first_step or 0, position.num_steps)),
            epochs=position.num_epochs,
            verbose=verbose,
            callbacks=[*own, *(callbacks or ())],  # the others see what ours find
            shuffle=False,
            initial_epoch=initial_epoch,
            steps_per_epoch=position.steps_per_epoch,
        )

    def _make_optimizer(self, num_steps: int):
        with self.distribute_strategy.scope():  # the moments are where the weights are
            if self._recompile is not None:
                self._recompile(make_optimizer(self.config, num_steps))
            # Callbacks that restore a model find its moments only if there are any.
            self.optimizer.build(self.trainable_variables)

    def labels_and_predictions(self, rows: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        labels, predictions, _ = self._compared(0, rows, self.compute_outputs(rows))
        return labels, predictions

    # ---- Use

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        return_dict: bool = False,
    ) -> list[float] | dict[str, float]:
        """The loss, the scores of the task as commands give them, and the metrics of `compile`.

        Scores are percentages, except for errors. A metric of `compile` replaces a score of its
        name.

        Args:
            x: texts, see `inputs.read`.
            y: labels; None for a dataset, which has them inside.
            batch_size: default: eval_batch_size of the hyperparameters.
            verbose: 0 for no progress bar.
            sample_weight: of each example in the loss, and in weighted metrics of `compile`.
            return_dict: whether to return them by name; else in the order of the names.

        Raises:
            ValueError: texts, labels or weights are not as the task needs them.
        """
        given = self._read(x, y, sample_weight)
        with self._settled_unless_it_fails():
            found = self._measured(self._labelled(given), given.weights, batch_size, verbose)
        return found if return_dict else list(found.values())

    def predict(self, x: Any, batch_size: int | None = None, verbose: str | int = "auto") -> Any:
        """What the model predicts for each text, in the form that the class names.

        Args:
            x: texts, see `inputs.read`.
            batch_size: default: predict_batch_size of the hyperparameters.
            verbose: 0 for no progress bar.

        Raises:
            ValueError: they are not as the task needs them.
        """
        return self.predicted(self._records(x, batch_size, verbose))

    def predict_labels(
        self, x: Any, batch_size: int | None = None, verbose: str | int = "auto"
    ) -> list:
        """The class of each text; several classes or tags, a score, an answer, as the task has it.

        Arguments and errors are those of `predict`.
        """
        return [record["prediction"] for record in self._records(x, batch_size, verbose)]

    # ---- Details

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "is_settled": self.is_settled}

    def task(self, labelled: bool) -> Task:
        """The task; its only split is of examples that have labels or have none."""
        spec = self.tasks[0]
        splits = (dataclasses.replace(spec.splits[0], labelled=labelled),)
        return Task(dataclasses.replace(spec, splits=splits, held_out=None), "", BadRows())

    def _read(self, x: Any, y: Any, sample_weight: Any) -> Given:
        given = read(x, y, sample_weight, self.column_names, self.needs_all_columns)
        check(given.labels is not None, "y", "the labels of the texts", None)
        return given

    def _parted(
        self, given: Given, validation_data: Any, validation_split: float
    ) -> tuple[Given, Given | None]:
        """What to train on, and what to evaluate."""
        if validation_data is not None:
            return given, self._read(*validation_parts(validation_data))
        return given.parted(validation_split) if validation_split else (given, None)

    @contextlib.contextmanager
    def _settled_unless_it_fails(self) -> Iterator[None]:
        before = self.tasks, self.is_settled
        try:
            yield
        except BaseException:
            self.tasks, self.is_settled = before
            raise

    def _labelled(self, given: Given) -> SplitData:
        if not self.is_settled:
            self.tasks, self.is_settled = (self.settled(given),), True
        return self._rows(given, labelled=True)

    def _rows(self, given: Given, labelled: bool) -> SplitData:
        task, examples = self.task(labelled), self.examples(given)
        split = task.spec.splits[0].name
        return split_of_examples(task, split, examples, 0, self.config, self.tokenizer)

    def _training_arrays(
        self, given: Given, class_weight: Mapping[Any, float] | None
    ) -> dict[str, np.ndarray]:
        data = self._labelled(given)
        arrays = {**data.arrays, **row_weights(data, given.weights)}
        if class_weight is None:
            return arrays
        return {**arrays, **self.weighed_by_class(arrays, self.class_weights(class_weight))}

    def _validation(
        self, validation: Given | None, batch_size: int | None, every: int
    ) -> list[Validation]:
        if validation is None:
            return []
        data = self._labelled(validation)
        return [Validation(lambda: self._measured(data, validation.weights, batch_size, 0), every)]

    def _records(self, x: Any, batch_size: int | None, verbose: str | int) -> list[dict[str, Any]]:
        options = self.needs_all_columns, self.reads_pairs
        given = read(x, None, None, self.column_names, *options)
        data = self._rows(dataclasses.replace(given, labels=None), labelled=False)
        size = checked_size(batch_size, self.config.predict_batch_size)
        outputs = self._outputs(data, size, verbose)
        return records_of(Evaluation(data, data.task.kind.predictions(data, outputs), {}))

    def _outputs(
        self, data: SplitData, batch_size: int, verbose: str | int
    ) -> dict[str, np.ndarray]:
        """What the head computes for every row, in order; with Keras' progress bar, if wanted."""
        if not verbose:
            return self._evaluator.outputs(data, batch_size)
        count = math.ceil(len(data.arrays["task_id"]) / batch_size)
        bar = keras.utils.Progbar(count, verbose=1 if verbose == "auto" else verbose)
        return self._evaluator.outputs(data, batch_size, bar.update)

    def _measured(
        self,
        data: SplitData,
        weights: np.ndarray | None,
        batch_size: int | None,
        verbose: str | int,
    ) -> dict[str, float]:
        """What `evaluate` returns, by name."""
        size = checked_size(batch_size, self.config.eval_batch_size)
        further = row_weights(data, weights)
        outputs = self._outputs(data, size, verbose)
        scores = scores_of(data, data.task.kind.predictions(data, outputs))
        losses = outputs.get("learned_loss", outputs["loss"]) * further.get("sample_weight", 1.0)
        scores.pop("loss", None)
        found = {"loss": float(np.mean(losses)), **scores}
        if self._is_observed:
            rows = tf.data.Dataset.from_tensor_slices({**data.arrays, **further}).batch(size)
            compiled = super().evaluate(rows, verbose=0, return_dict=True)
            # Under a strategy it gives the mean over replicas, whatever number of rows each has.
            means = self.get_metrics_result()
            found |= {name: float(means[name]) for name in compiled if name != "loss"}
        return found
