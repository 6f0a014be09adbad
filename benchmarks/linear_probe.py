# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a linear classifier finds in the last hidden states of a frozen encoder.

Of texts that are classified, the feature is the mean of the states of all tokens; of words that are
tagged, the state of their first token. Data, metrics and trivial scores are those of fine-tuning.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from electra_tf.finetuning.evaluation import baseline_of, scores_of
from electra_tf.finetuning.run import load_tasks
from electra_tf.finetuning.split_data import SplitData, load_split, ordered_batches
from electra_tf.interop.presets import load_encoder
from electra_tf.model import Encoder
from electra_tf.runs import resolve_finetuning
from electra_tf.text import load_matching_tokenizer

MOST_EXAMPLES = 10000
"""Texts or words that the classifier is fitted to, the first ones of the training split."""
MOST_ITERATIONS = 100
BATCH_SIZE = 128


class Examples(NamedTuple):
    """Rows of a batch. B rows, W words of a row or 1 of a text, H hidden units."""

    features: np.ndarray
    """float32 [B, W, H]."""
    labels: np.ndarray
    """int32 [B, W]."""
    is_real: np.ndarray
    """bool [B, W]."""


def probe(
    model_dir: str,
    task_file: str | os.PathLike[str],
    data_dir: str,
    hparams: Mapping[str, Any],
) -> tuple[float, str, float]:
    """Fit a logistic regression to a task's training split, and score it on the dev split.

    Args:
        model_dir: folder of a pre-trained model.
        task_file: description of a task of classification or tagging.
        data_dir: has finetuning_data.
        hparams: of fine-tuning, as far as they decide the rows.

    Returns:
        The score, the metric, and the score of a trivial prediction.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    hparams = {**hparams, "init_checkpoint": model_dir, "task_names": [os.fspath(task_file)]}
    config, _ = resolve_finetuning("probe", data_dir, hparams)
    (task,), tokenizer = load_tasks(config), load_matching_tokenizer(config)
    train, dev = (load_split(task, split, 0, config, tokenizer) for split in ("train", "dev"))
    encoder = load_encoder(model_dir)
    features, labels, found = [], [], 0
    for rows in _examples(encoder, train):
        features.append(rows.features[rows.is_real])
        labels.append(rows.labels[rows.is_real])
        found += len(labels[-1])
        if found >= MOST_EXAMPLES:
            break
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=MOST_ITERATIONS))
    classifier.fit(*(np.concatenate(part)[:MOST_EXAMPLES] for part in (features, labels)))
    predicted = [_outputs(classifier, rows, dev) for rows in _examples(encoder, dev)]
    outputs = {name: np.concatenate([part[name] for part in predicted]) for name in predicted[0]}
    scores = scores_of(dev, task.kind.predictions(dev, outputs))
    metric = task.spec.metric
    return scores[metric], metric, baseline_of(train, dev)[metric]


def _examples(encoder: Encoder, data: SplitData) -> Iterator[Examples]:
    """All rows of a split."""
    name, is_tagged = data.task.name, data.task.spec.kind == "tagging"

    @tf.function
    def features_of(batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
        hidden = encoder(batch).last_hidden_state  # [B, L, H]
        if is_tagged:
            return tf.gather(hidden, batch[f"{name}_labeled_positions"], batch_dims=1)
        mask = tf.cast(batch["input_mask"], tf.float32)[..., None]
        return tf.reduce_sum(hidden * mask, axis=1, keepdims=True) / tf.maximum(
            tf.reduce_sum(mask, axis=1, keepdims=True), 1.0
        )

    for batch, is_row in ordered_batches(data.arrays, BATCH_SIZE):
        features = features_of({key: tf.constant(rows) for key, rows in batch.items()}).numpy()
        if is_tagged:
            labels, is_real = batch[f"{name}_labels"], batch[f"{name}_labels_mask"] > 0
        else:
            labels, is_real = batch[f"{name}_label_ids"][:, None], np.ones((BATCH_SIZE, 1), bool)
        yield Examples(features[is_row], labels[is_row], is_real[is_row])


def _outputs(classifier: Any, rows: Examples, data: SplitData) -> dict[str, np.ndarray]:
    """What a head of fine-tuning would give for rows."""
    batch, words, width = rows.features.shape
    probabilities = np.zeros((batch * words, len(data.task.spec.labels)), np.float32)
    found = classifier.predict_proba(rows.features.reshape(-1, width))
    probabilities[:, classifier.classes_] = found
    outputs = {
        "predictions": probabilities.argmax(-1).reshape(batch, words),
        "probability": probabilities.max(-1).reshape(batch, words),
        "loss": np.zeros(batch),
    }
    if data.task.spec.kind != "tagging":
        outputs["predictions"] = outputs["predictions"][:, 0]
        outputs["logits"] = np.log(probabilities + 1e-9)
    return outputs
