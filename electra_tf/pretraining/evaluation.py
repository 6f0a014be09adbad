# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Evaluation on held-out records: masks and fakes fixed by the seed, padding left out."""

import itertools

import numpy as np
import sklearn.metrics
import tensorflow as tf

from electra_tf.data import PretrainingRecords
from electra_tf.pretraining.metrics import PretrainingMetrics
from electra_tf.training.seeds import Stream, step_seed


class Evaluator:
    """Measures a pretrainer on the same batches, masks and fakes every time.

    Args:
        pretrainer: whose weights are measured, as they are at each call.
        records: to evaluate on, in file order.
        num_batches: how many of them at most.
    """

    def __init__(self, pretrainer, records: PretrainingRecords, num_batches: int):
        config = pretrainer.config
        self._pretrainer = pretrainer
        self._num_batches = num_batches
        self._batches = records.evaluation_batches(config.eval_batch_size, config.max_seq_length)
        self._metrics = PretrainingMetrics(config.has_discriminator)
        self._step = tf.function(self._evaluate_batch, reduce_retracing=True)

    def __call__(self) -> dict[str, float]:
        """Metrics under the original's names, and the baselines they are to be read against.

        Returns:
            `loss` (what training minimizes, mean of the batches), `masked_lm_accuracy`,
            `masked_lm_loss`, with a discriminator `sampled_masked_lm_accuracy`, `disc_loss`,
            `disc_auc`, `disc_accuracy`, `disc_precision`, `disc_recall`; baselines:
            `most_frequent_token_accuracy`, the accuracy of always predicting the token that is
            masked most often, and `replaced_share`, the share of replaced tokens.
        """
        with self._pretrainer.evaluated_weights():
            return self._measure()

    def _measure(self):
        self._metrics.reset()
        config = self._pretrainer.config
        label_counts = np.zeros(config.vocab_size, np.int64)
        scores, labels, losses, rows = [], [], [], []
        for index, batch in enumerate(itertools.islice(self._batches, self._num_batches)):
            outputs = {k: v.numpy() for k, v in self._step(batch, tf.constant(index)).items()}
            masked_ids = outputs["masked_ids"][outputs["masked_weights"] > 0]
            losses.append(outputs["total_loss"])
            rows.append(outputs["input_mask"].any(axis=1).sum())  # the last batch is filled up
            label_counts += np.bincount(masked_ids, minlength=config.vocab_size)
            if config.has_discriminator:
                real = outputs["input_mask"] > 0
                scores.append(outputs["rtd_logits"][real])
                labels.append(outputs["is_replaced"][real])
        results = {
            name: float(value)
            for name, value in self._metrics.results().items()
            if name not in self._metrics.step
        }
        results["loss"] = float(np.average(losses, weights=rows))
        if config.has_discriminator:
            results["disc_auc"] = exact_auc(np.concatenate(labels), np.concatenate(scores))
        results["most_frequent_token_accuracy"] = float(
            label_counts.max() / max(1, label_counts.sum())
        )
        return results

    def _evaluate_batch(self, batch, index):
        seed = step_seed(self._pretrainer.config.seed, Stream.EVALUATION, index)
        outputs = self._pretrainer.compute_outputs(batch, seed=seed)
        self._metrics.update(outputs)
        kept = ("total_loss", "masked_ids", "masked_weights", "input_mask")
        kept += ("rtd_logits", "is_replaced")
        return {name: outputs[name] for name in kept if name in outputs}


def exact_auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve; 0.5, that of guessing, where all labels are the same.

    Thresholds on probabilities, as the running metric and the original have them, tell too little
    while all probabilities lie close together.
    """
    if labels.all() or not labels.any():
        return 0.5
    return float(sklearn.metrics.roc_auc_score(labels, scores))
