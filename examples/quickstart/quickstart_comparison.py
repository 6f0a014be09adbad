# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What pre-training is worth: the task bigram shift from pre-trained and from random weights.

All are fine-tuned alike. What can be reached without a neural network stands beside them.
"""

import contextlib
import csv
import os
import pathlib
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import baselines
import numpy as np
from absl import logging

import electra_tf
from electra_tf.config import PretrainingConfig
from electra_tf.files import read_json, write_json

FINETUNING = {
    "num_trials": 3,
    "num_train_epochs": 3.0,
    "learning_rate": 5e-4,
    "layerwise_lr_decay": 0.0,
    "train_batch_size": 32,
    "eval_batch_size": 128,
    "classifier_dropout": 0.1,
    "adam_bias_correction": True,
}
"""Of all models."""
MAX_SEQ_LENGTH = 64
"""Of the sentences; positions that pre-training did not reach begin at random in all models."""
RANDOM_SUFFIX = "_random"
FILE = "comparison.json"


class Comparison(NamedTuple):
    """Accuracies on the held-out sentences, in percent."""

    pretrained: list[float]
    """One per seed."""
    masked_lm: list[float]
    """One per seed; none where there is no such model."""
    random: list[float]
    """One per seed."""
    trigram: float
    """A trigram model of the text that was pre-trained on."""
    linear: float
    """TF-IDF of words and pairs of words, logistic regression."""
    majority: float

    @property
    def gain(self) -> float:
        """Of the medians, over a model of this shape that is not pre-trained."""
        return float(np.median(self.pretrained) - np.median(self.random))

    @property
    def spread(self) -> float:
        """Best seed minus worst seed, of the model where it is larger."""
        return float(max(np.ptp(self.pretrained), np.ptp(self.random)))


def compare(
    config: PretrainingConfig,
    masked_lm: str | None,
    task_file: pathlib.Path,
    data: pathlib.Path,
    text: pathlib.Path,
    share: float,
) -> Comparison:
    """Fine-tune all models on the task with the same budget, and measure what stands beside them.

    Args:
        config: the pre-trained model.
        masked_lm: name of a pre-trained masked LM of its shape, or None.
        task_file: JSON description of the task.
        data: folder with the task's train.tsv and dev.tsv.
        text: what was pre-trained on, a sentence per line.
        share: of the epochs, for a shorter quickstart.
    """
    train, dev = (read_sentences(data / f"{split}.tsv") for split in ("train", "dev"))
    hparams = {
        **FINETUNING,
        "num_train_epochs": epochs_of(share, len(train[0])),
        "max_seq_length": MAX_SEQ_LENGTH,
    }
    name, folder = config.model_name, config.data_dir
    starts = {"pre-trained": name, "masked LM": masked_lm, "random weights": None}
    if masked_lm is None:
        del starts["masked LM"]
    seeds = {}
    for what, start in starts.items():
        given = {} if start else {"model_name": name + RANDOM_SUFFIX, **shape_of(config)}
        with a_line_per_trial(what, task_file.stem, hparams["num_trials"]):
            results = electra_tf.finetune(
                start, task_file, folder, verbose=False, **hparams, **given
            ).as_dict()
        seeds[what] = [trial["scores"][task_file.stem]["accuracy"] for trial in results["trials"]]
    trigram, linear = baselines.trigram_accuracy(text, *dev), baselines.linear_accuracy(train, dev)
    majority = results["baselines"][task_file.stem]["accuracy"]
    return Comparison(
        seeds["pre-trained"],
        seeds.get("masked LM", []),
        seeds["random weights"],
        100 * trigram,
        100 * linear,
        majority,
    )


def shape_of(config: PretrainingConfig) -> dict[str, Any]:
    """Hyperparameters of a model with random weights that is otherwise the same."""
    names = ("model_size", "model_hparam_overrides", "embedding_size", "vocab_size", "vocab_file")
    return {name: getattr(config, name) for name in (*names, "do_lower_case", "strip_accents")}


def epochs_of(share: float, num_train: int) -> float:
    """A share of the epochs that gives one step at least."""
    rows = FINETUNING["train_batch_size"] + 1  # one more than a batch, for what rounding takes
    return max(FINETUNING["num_train_epochs"] * share, rows / num_train)


def read_sentences(path: os.PathLike) -> tuple[list[str], list[str]]:
    """Sentences and labels."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [row["sentence"] for row in rows], [row["label"] for row in rows]


@contextlib.contextmanager
def a_line_per_trial(what: str, task: str, num_trials: int) -> Iterator[None]:
    """Inside, the log of fine-tuning is one line for each trial.

    Its warnings, of models that are not better than chance, are what the table shows.
    """
    lines, shown = _TrialLines(what, task, num_trials), logging.get_absl_handler()
    level = shown.level
    shown.setLevel(logging.logging.ERROR)
    logging.get_absl_logger().addHandler(lines)
    try:
        yield
    finally:
        logging.get_absl_logger().removeHandler(lines)
        shown.setLevel(level)


class _TrialLines(logging.logging.Handler):
    """Prints the accuracy where the log of fine-tuning has all scores of a trial."""

    def __init__(self, what: str, task: str, num_trials: int):
        super().__init__()
        self._what, self._num_trials = what, num_trials
        self._scores = re.compile(rf"trial (\d+) \| {re.escape(task)}: accuracy: ([\d.]+)")

    def emit(self, record: logging.logging.LogRecord):
        if found := self._scores.match(record.getMessage()):
            number, accuracy = found[1], float(found[2])
            print(
                f"{self._what:16}trial {number} of {self._num_trials}: {accuracy:.1f} % right",
                flush=True,
            )


def save(comparison: Comparison, folder: str):
    """Write it to the folder, as JSON."""
    write_json(os.path.join(folder, FILE), comparison._asdict())


def read(folder: str) -> Comparison:
    """The one that was written to the folder."""
    return Comparison(**read_json(os.path.join(folder, FILE)))


# ---- For people


def rows_of(comparison: Comparison) -> list[tuple[str, list[float]]]:
    """Name and accuracies of each row of the table; of several seeds one each."""
    rows = [
        ("ELECTRA, pre-trained", comparison.pretrained),
        ("masked LM with equal FLOPs, pre-trained", comparison.masked_lm),
        ("random weights, not pre-trained", comparison.random),
        ("trigram model of the same text", [comparison.trigram]),
        ("bag of words and pairs (TF-IDF)", [comparison.linear]),
        ("majority class", [comparison.majority]),
    ]
    return [row for row in rows if row[1]]


def format_comparison(comparison: Comparison, share: float) -> str:
    """A table, and whether pre-training was worth it."""
    lines = [f"{'accuracy in percent':42}{'median':>7}  seeds"]
    for name, seeds in rows_of(comparison):
        single = "  ".join(f"{accuracy:.1f}" for accuracy in seeds) if len(seeds) > 1 else ""
        lines.append(f"{name:42}{np.median(seeds):7.1f}  {single}".rstrip())
    return "\n".join([*lines, "", *verdict(comparison, share)])


def verdict(comparison: Comparison, share: float) -> list[str]:
    """Sentences on what pre-training is worth here, and what does better.

    Args:
        comparison: the numbers.
        share: of the whole run's steps; below 1 nothing is proved.
    """
    gain, spread = comparison.gain, comparison.spread
    if gain > spread:
        said = [f"Pre-training gains {gain:.1f} points, more than seeds differ ({spread:.1f})."]
    else:
        said = [
            f"Pre-training gains {gain:.1f} points, which is not more than seeds differ "
            f"({spread:.1f})."
        ]
    median = float(np.median(comparison.pretrained))
    beside = {"A trigram model of the same text, which needs no labels,": comparison.trigram}
    if comparison.masked_lm:
        beside["A masked LM with equal FLOPs"] = float(np.median(comparison.masked_lm))
    for name, accuracy in beside.items():
        how, points = "better" if accuracy > median else "worse", abs(accuracy - median)
        said.append(f"{name} is {points:.1f} points {how} than ELECTRA.")
    if share < 1:
        said.append(f"After {share:.0%} of the steps none of this proves anything.")
    return said
