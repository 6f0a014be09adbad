# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The quickstart's second half: does pre-training help to tell good reviews from bad ones?

Both models are fine-tuned alike; one begins with the pre-trained discriminator, the other with
random weights. A linear classifier of words stands beside them.
"""

import csv
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import electra_tf
from electra_tf.config import PretrainingConfig

TASK = "rt_sentiment"
FINETUNING = {
    "num_trials": 3,
    "num_train_epochs": 3.0,
    "learning_rate": 3e-4,
    "layerwise_lr_decay": 0.0,
    "train_batch_size": 32,
    "eval_batch_size": 128,
    "classifier_dropout": 0.1,
    "adam_bias_correction": True,
}
"""Of both models."""
MAX_SEQ_LENGTH = 64
"""Of the sentences; positions that pre-training did not reach begin at random in both models."""
RANDOM_SUFFIX = "_random"


class Comparison(NamedTuple):
    """Accuracies on the held-out sentences, in percent."""

    pretrained: list[float]
    """One per seed."""
    random: list[float]
    """One per seed."""
    linear: float
    """TF-IDF of words and pairs of words, logistic regression."""
    majority: float
    num_train: int
    num_dev: int

    @property
    def gain(self) -> float:
        """Of the medians."""
        return float(np.median(self.pretrained) - np.median(self.random))

    @property
    def spread(self) -> float:
        """Best seed minus worst seed, of the model where it is larger."""
        return float(max(np.ptp(self.pretrained), np.ptp(self.random)))


def compare(
    config: PretrainingConfig, task_file: os.PathLike, data: pathlib.Path, share: float
) -> Comparison:
    """Fine-tune from the pre-trained model and from random weights, with the same budget.

    Args:
        config: the pre-trained model.
        task_file: JSON description of the task.
        data: folder with the task's train.tsv and dev.tsv.
        share: of the epochs, for a shorter quickstart.
    """
    train, dev = (read_sentences(data / f"{split}.tsv") for split in ("train", "dev"))
    hparams = {
        **FINETUNING,
        "num_train_epochs": epochs_of(share, len(train[0])),
        "max_seq_length": MAX_SEQ_LENGTH,
    }
    pretrained, random = finetune_both(config, task_file, hparams)
    return Comparison(
        [trial["scores"][TASK]["accuracy"] for trial in pretrained["trials"]],
        [trial["scores"][TASK]["accuracy"] for trial in random["trials"]],
        100 * linear_accuracy(train, dev),
        pretrained["baselines"][TASK]["accuracy"],
        len(train[0]),
        len(dev[0]),
    )


def epochs_of(share: float, num_train: int) -> float:
    """A share of the epochs that gives one step at least."""
    rows = FINETUNING["train_batch_size"] + 1  # one more than a batch, for what rounding takes
    return max(FINETUNING["num_train_epochs"] * share, rows / num_train)


def finetune_both(
    config: PretrainingConfig, task_file: os.PathLike, hparams: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Results of a task from the pre-trained model and from random weights of its shape."""
    shape = {
        "model_size": config.model_size,
        "model_hparam_overrides": config.model_hparam_overrides,
        "embedding_size": config.embedding_size,
        "vocab_size": config.vocab_size,
        "vocab_file": config.vocab_file,
        "do_lower_case": config.do_lower_case,
        "strip_accents": config.strip_accents,
    }
    name, folder = config.model_name, config.data_dir
    pretrained = electra_tf.finetune(name, task_file, folder, **hparams)
    random = electra_tf.finetune(
        None, task_file, folder, model_name=name + RANDOM_SUFFIX, **hparams, **shape
    )
    return pretrained.as_dict(), random.as_dict()


def read_sentences(path: os.PathLike) -> tuple[list[str], list[str]]:
    """Sentences and labels."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [row["sentence"] for row in rows], [row["label"] for row in rows]


def linear_accuracy(
    train: tuple[Sequence[str], Sequence[str]], dev: tuple[Sequence[str], Sequence[str]]
) -> float:
    """Share of right labels of a linear classifier of weighted words and pairs of words."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+")
    classifier = make_pipeline(words, LogisticRegression(max_iter=1000))
    return float(classifier.fit(*train).score(*dev))


def format_comparison(comparison: Comparison) -> str:
    """A table, and whether pre-training was worth it."""
    lines = [f"{'accuracy in percent':34}{'median':>7}  seeds"]
    for name, seeds in (
        ("pre-trained discriminator", comparison.pretrained),
        ("random weights, same budget", comparison.random),
    ):
        single = "  ".join(f"{accuracy:.1f}" for accuracy in seeds)
        lines.append(f"{name:34}{np.median(seeds):7.1f}  {single}")
    lines.append(f"{'TF-IDF + logistic regression':34}{comparison.linear:7.1f}")
    lines.append(f"{'majority class':34}{comparison.majority:7.1f}")
    gain, spread = comparison.gain, comparison.spread
    if gain > spread:
        verdict = f"Pre-training gains {gain:.1f} points, more than seeds differ ({spread:.1f})."
    else:
        verdict = (
            f"Pre-training gains {gain:.1f} points, which is not more than seeds differ "
            f"({spread:.1f}): these few minutes of pre-training are too short to help."
        )
    return "\n".join([*lines, "", verdict])
