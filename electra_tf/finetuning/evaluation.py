# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A model's outputs for every row of a split, and what they score."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from electra_tf.finetuning.kinds import Predictions
from electra_tf.finetuning.kinds.scorers import is_better
from electra_tf.finetuning.model import FinetuningModel
from electra_tf.finetuning.split_data import SplitData, ordered_batches
from electra_tf.finetuning.task import Task
from electra_tf.training.distribution.replicas import gather_rows, rows_of_replica
from electra_tf.training.distribution.workers import Workers


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What a model predicts for a split and, where it has labels, what that scores."""

    data: SplitData
    predictions: Predictions
    scores: dict[str, float]

    @property
    def name(self) -> str:
        return self.data.name


class Evaluator:
    """Runs a `FinetuningModel`, with the weights it has at each call, over splits.

    Args:
        batch_size: rows at once on each replica; changes no number.
        strategy: of the model's variables; all its processes evaluate together.
        further: outputs of heads, where they have them, besides those that a kind needs.
    """

    def __init__(
        self,
        model: FinetuningModel,
        batch_size: int,
        strategy: tf.distribute.Strategy | None = None,
        further: Sequence[str] = (),
    ):
        self._model = model
        self._batch_size = batch_size
        self._further = tuple(further)
        self._strategy = strategy or tf.distribute.get_strategy()
        self._workers = Workers(self._strategy)
        self._functions = {}

    def __call__(self, data: SplitData, batch_size: int | None = None) -> Evaluation:
        outputs = self.outputs(data, batch_size or self._batch_size)
        predictions = data.task.kind.predictions(data, outputs)
        scores = scores_of(data, predictions) if data.is_labelled else {}
        return Evaluation(data, predictions, scores)

    def outputs(
        self, data: SplitData, batch_size: int, watch: Callable[[int], None] | None = None
    ) -> dict[str, np.ndarray]:
        """What the task's head computes for every row, in order.

        Args:
            data: the rows.
            batch_size: of them at once on each replica.
            watch: called with the number of batches that are done.
        """
        labelled, arrays = data.is_labelled, data.arrays
        if not labelled:  # what stands for labels are fillers
            labels = {f"{data.task.name}_{part}" for part in data.task.kind.label_arrays}
            arrays = {name: rows for name, rows in arrays.items() if name not in labels}
        predict = self._function(data.task, labelled, batch_size)
        parts = {}
        all_rows = batch_size * self._strategy.num_replicas_in_sync
        own = self._workers.share_of(all_rows)
        for done, (batch, is_real) in enumerate(ordered_batches(arrays, all_rows), start=1):
            outputs = predict({name: tf.constant(rows[own]) for name, rows in batch.items()})
            for name, values in outputs.items():
                parts.setdefault(name, []).append(values.numpy()[is_real])
            if watch is not None:
                watch(done)
        return {name: np.concatenate(values) for name, values in parts.items()}

    def _function(self, task: Task, labelled: bool, batch_size: int):
        key = task.name, labelled, batch_size
        if key not in self._functions:
            head = next(h for h in self._model.task_heads.heads if h.name == task.name)
            kept = {*task.kind.outputs_needed(head), *self._further}

            def predict_own(rows: Mapping[str, tf.Tensor]):
                features = rows_of_replica(rows, batch_size, self._workers.replicas_each)
                hidden = self._model.encoder(features).last_hidden_state
                outputs = head(hidden, features)
                return {name: outputs[name] for name in kept if name in outputs}

            def predict(rows: Mapping[str, tf.Tensor]):
                return gather_rows(self._strategy, self._strategy.run(predict_own, args=(rows,)))

            self._functions[key] = tf.function(predict, reduce_retracing=True, autograph=False)
        return self._functions[key]


def scores_of(data: SplitData, predictions: Predictions) -> dict[str, float]:
    """All metrics of a labelled split: the primary one first, `loss` last."""
    metric, scores = data.task.spec.metric, data.task.kind.scores(data, predictions)
    if predictions.loss is not None:
        scores["loss"] = predictions.loss
    return {metric: scores.pop(metric), **scores}


def baseline_of(train: SplitData, data: SplitData) -> dict[str, float]:
    """The metrics of what one would predict without a model: majority, mean, or first word."""
    return scores_of(data, Predictions(data.task.kind.trivial(train, data)))


def failures_of(
    data: SplitData,
    predictions: Predictions,
    scores: Mapping[str, float],
    baseline: Mapping[str, float],
) -> list[str]:
    """Why a trial counts as failed; empty if it does not."""
    spec = data.task.spec
    collapse = data.task.kind.collapse(spec, predictions.values)
    reasons = [] if collapse is None else [collapse]
    score, trivial = scores[spec.metric], baseline[spec.metric]
    if not is_better(spec.metric, score, trivial):
        reasons.append(f"{spec.metric} {score:.2f} is not better than the baseline's {trivial:.2f}")
    return reasons


def records_of(evaluation: Evaluation) -> list[dict[str, Any]]:
    """One JSON-serializable dict per example: id, texts, prediction, probabilities, label."""
    data, predictions = evaluation.data, evaluation.predictions
    return [data.task.kind.record(data, predictions, row) for row in range(len(data.examples))]


def mean_score(evaluations: list[Evaluation]) -> float:
    """One number of all tasks, larger for better: the mean primary metric, errors negated."""
    scores = []
    for evaluation in evaluations:
        metric = evaluation.data.task.spec.metric
        sign = 1.0 if is_better(metric, 1.0, 0.0) else -1.0
        scores.append(sign * evaluation.scores[metric])
    return float(np.mean(scores))
