# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Evaluation on held-out records: masks and fakes fixed by the seed, padding left out."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from electra_tf.data import PretrainingRecords
from electra_tf.pretraining.evaluation_pictures import OF_EXAMPLES
from electra_tf.pretraining.metrics import PretrainingMetrics
from electra_tf.pretraining.pretrainer import ElectraPretrainer
from electra_tf.seeds import Stream, replica_id, step_seed
from electra_tf.training.distribution.replicas import gather_rows, rows_of_replica
from electra_tf.training.distribution.workers import Workers


class Evaluation(NamedTuple):
    """What an evaluation has found."""

    results: dict[str, float]
    """See `Evaluator`."""
    first_outputs: dict[str, np.ndarray]
    """Of the first batch, in file order: those of `OF_EXAMPLES`, [B, ...]."""
    rtd_logits: np.ndarray
    """Of the tokens of its loss, float32 [tokens]; none without replaced token detection."""
    is_replaced: np.ndarray
    """Of the same tokens, bool [tokens]."""


class Evaluator:
    """Measures a pretrainer on the same batches, masks and fakes every time.

    The batches are the first `num_batches` of the records, in file order. Each replica takes the
    next whole batch, so that no number depends on how many there are. All processes of the strategy
    evaluate together.
    """

    def __init__(
        self,
        pretrainer: ElectraPretrainer,
        records: PretrainingRecords,
        num_batches: int,
        strategy: tf.distribute.Strategy | None = None,
    ):
        config = pretrainer.config
        self._pretrainer = pretrainer
        self._num_batches = num_batches
        self._records = records
        self._batches = records.evaluation_batches(config.eval_batch_size, config.max_seq_length)
        self._strategy = strategy or tf.distribute.get_strategy()
        self._workers = Workers(self._strategy)
        with self._strategy.scope():
            self._metrics = PretrainingMetrics(pretrainer.objective)
        self._group = tf.function(self._evaluate_group, autograph=False)

    def __call__(self) -> dict[str, float]:
        """Metrics under the original's names, and the baselines they are to be read against.

        Returns:
            `loss` (what training minimizes, mean of the batches), `masked_lm_accuracy`,
            `masked_lm_loss`, with a discriminator `sampled_masked_lm_accuracy`, `disc_loss`,
            `disc_auc`, `disc_accuracy`, `disc_precision`, `disc_recall`, or what else its objective
            measures; baselines: `most_frequent_token_accuracy`, the accuracy of always predicting
            the token that is masked most often, and `replaced_share`, the share of replaced tokens
            among those that the discriminator's loss covers; among all tokens where it restores.
        """
        return self.measure().results

    def measure(self) -> Evaluation:
        """The metrics, and what they were computed of."""
        with self._pretrainer.updates.evaluated_weights():
            return self._measure()

    def _measure(self) -> Evaluation:
        self._metrics.reset()
        config = self._pretrainer.config
        label_counts = np.zeros(config.vocab_size, np.int64)
        scores, labels, losses, rows = [np.zeros(0, np.float32)], [np.zeros(0, bool)], [], []
        first_outputs = None
        for outputs in self._outputs():
            if first_outputs is None:
                first_outputs = {name: outputs[name] for name in OF_EXAMPLES if name in outputs}
            masked_ids = outputs["masked_ids"][outputs["masked_weights"] > 0]
            losses.append(outputs["total_loss"])
            rows.append(outputs["input_mask"].any(axis=1).sum())  # the last batch is filled up
            label_counts += np.bincount(masked_ids, minlength=config.vocab_size)
            if config.detects_replaced_tokens:
                real = outputs["rtd_weights"] > 0
                scores.append(outputs["rtd_logits"][real])
                labels.append(outputs["is_replaced"][real])
        results = {
            name: float(value)
            for name, value in self._metrics.results().items()
            if name not in self._metrics.step
        }
        results["loss"] = float(np.average(losses, weights=rows))
        scores, labels = np.concatenate(scores), np.concatenate(labels)
        if config.detects_replaced_tokens:
            results["disc_auc"] = exact_auc(labels, scores)
        results["most_frequent_token_accuracy"] = float(
            label_counts.max() / max(1, label_counts.sum())
        )
        return Evaluation(results, first_outputs, scores, labels)

    def _outputs(self) -> Iterator[dict[str, np.ndarray]]:
        """What is kept of every batch, in order."""
        replicas = self._strategy.num_replicas_in_sync
        own = self._workers.share_of(replicas)
        length = self._pretrainer.config.max_seq_length
        batches = self._records.numpy_iterator(self._batches, length)
        batches = itertools.islice(batches, self._num_batches)
        first = 0
        while group := list(itertools.islice(batches, replicas)):
            empty = {name: np.zeros_like(rows) for name, rows in group[0].items()}
            filled = (group + [empty] * (replicas - len(group)))[own]
            stacked = {name: tf.constant(np.stack([b[name] for b in filled])) for name in empty}
            outputs = self._group(stacked, tf.constant(first))
            outputs = {name: rows.numpy() for name, rows in outputs.items()}
            for i in range(len(group)):
                yield {name: rows[i] for name, rows in outputs.items()}
            first += replicas

    def _evaluate_group(self, stacked: dict[str, tf.Tensor], first: tf.Tensor):
        """Outputs [replicas, ...] of a batch on each replica, on every process."""
        outputs = self._strategy.run(self._evaluate_batch, args=(stacked, first))
        return gather_rows(self._strategy, outputs)

    def _evaluate_batch(self, stacked: dict[str, tf.Tensor], first: tf.Tensor):
        own = rows_of_replica(stacked, 1, self._workers.replicas_each)
        batch = {name: rows[0] for name, rows in own.items()}
        seed = step_seed(self._pretrainer.config.seed, Stream.EVALUATION, first + replica_id())
        outputs = self._pretrainer.compute_outputs(batch, seed=seed)
        self._metrics.update(outputs)
        kept = ("total_loss", "masked_ids", *OF_EXAMPLES)
        return {name: outputs[name][tf.newaxis] for name in kept if name in outputs}


def exact_auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve; 0.5, that of guessing, where all labels are the same.

    Thresholds on probabilities, as the running metric and the original have them, say too little
    while all probabilities lie close together.
    """
    if labels.all() or not labels.any():
        return 0.5
    import sklearn.metrics

    return float(sklearn.metrics.roc_auc_score(labels, scores))
