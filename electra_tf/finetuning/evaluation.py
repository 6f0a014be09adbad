# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A model's outputs for every row of a split, and what they score."""

import dataclasses

import numpy as np
import tensorflow as tf

from electra_tf.finetuning.batches import ordered_batches
from electra_tf.finetuning.decoding import Predictions, predictions_of
from electra_tf.finetuning.heads import TaggingHead, TaskHead
from electra_tf.finetuning.model import FinetuningModel
from electra_tf.finetuning.qa_head import QuestionAnsweringHead
from electra_tf.finetuning.scoring import is_better, scores_of
from electra_tf.finetuning.split_data import SplitData
from electra_tf.training.replicas import gather_rows, rows_of_replica
from electra_tf.training.workers import Workers

_SENTENCES = ("predictions", "logits", "loss")
_TAGS = ("predictions", "probability", "loss")
_BEAMS = ("start_top_log_probs", "start_top_index", "end_top_log_probs", "end_top_index")
_POSITIONS = ("start_logits", "end_logits")


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
    """

    def __init__(
        self,
        model: FinetuningModel,
        batch_size: int,
        strategy: tf.distribute.Strategy | None = None,
    ):
        self._model = model
        self._batch_size = batch_size
        self._strategy = strategy or tf.distribute.get_strategy()
        self._workers = Workers(self._strategy)
        self._functions = {}

    def __call__(self, data: SplitData, batch_size: int | None = None) -> Evaluation:
        outputs = self.outputs(data, batch_size or self._batch_size)
        predictions = predictions_of(data, outputs, self._model.config)
        scores = {}
        if data.is_labelled:
            scores = scores_of(data, predictions, self._model.config)
        return Evaluation(data, predictions, scores)

    def outputs(self, data: SplitData, batch_size: int) -> dict[str, np.ndarray]:
        """What the task's head says of every row, in order."""
        labelled = data.is_labelled
        arrays = data.arrays if labelled else _without_labels(data)
        predict = self._function(data.task.name, labelled, batch_size)
        parts = {}
        all_rows = batch_size * self._strategy.num_replicas_in_sync
        own = self._workers.share_of(all_rows)
        for batch, is_real in ordered_batches(arrays, all_rows):
            outputs = predict({name: tf.constant(rows[own]) for name, rows in batch.items()})
            for name, values in outputs.items():
                parts.setdefault(name, []).append(values.numpy()[is_real])
        return {name: np.concatenate(values) for name, values in parts.items()}

    def _function(self, task_name: str, labelled: bool, batch_size: int):
        key = task_name, labelled, batch_size
        if key not in self._functions:
            head = next(h for h in self._model.task_heads.heads if h.name == task_name)
            kept = _outputs_needed(head)

            def predict_own(rows):
                features = rows_of_replica(rows, batch_size, self._workers.replicas_each)
                hidden = self._model.encoder(features).last_hidden_state
                outputs = head(hidden, features)
                return {name: outputs[name] for name in kept if name in outputs}

            def predict(rows):
                return gather_rows(self._strategy, self._strategy.run(predict_own, args=(rows,)))

            self._functions[key] = tf.function(predict, reduce_retracing=True)
        return self._functions[key]


def _outputs_needed(head: TaskHead) -> tuple[str, ...]:
    """Names of the outputs that predictions are made from; the others can be large."""
    if isinstance(head, TaggingHead):
        return _TAGS
    if not isinstance(head, QuestionAnsweringHead):
        return _SENTENCES
    spans = _BEAMS if head.end_hidden is not None else ()
    # Without a classifier the logits of position 0 are the evidence for "no answer".
    logits = () if spans and head.answerable_layer is not None else _POSITIONS
    return (*spans, *logits, "answerable_logit")


def mean_score(evaluations: list[Evaluation]) -> float:
    """One number of all tasks, larger for better: the mean headline, errors negated."""
    scores = []
    for evaluation in evaluations:
        metric = evaluation.data.task.spec.metric
        sign = 1.0 if is_better(metric, 1.0, 0.0) else -1.0
        scores.append(sign * evaluation.scores[metric])
    return float(np.mean(scores))


def _without_labels(data: SplitData) -> dict[str, np.ndarray]:
    """The arrays without those that stand for labels, which are fillers here."""
    name = data.task.name
    labels = [f"{name}_{part}" for part in ("label_ids", "targets", "labels", "labels_mask")]
    labels += [f"{name}_{part}" for part in ("start_positions", "end_positions", "is_impossible")]
    return {key: rows for key, rows in data.arrays.items() if key not in labels}
