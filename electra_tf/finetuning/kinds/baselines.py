# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What one would predict without reading: the yardstick beside every score."""

import collections
from collections.abc import Iterable, Sequence

import numpy as np

from electra_tf.finetuning.files.conll import OUTSIDE
from electra_tf.finetuning.files.examples import QuestionExample


def majority_class(gold: Sequence[int], num_labels: int) -> int:
    """Returns the most frequent of the label ids, the smallest of several."""
    return int(np.argmax(np.bincount(np.asarray(gold, np.int64), minlength=num_labels)))


def majority_labels(gold: np.ndarray) -> np.ndarray:
    """Returns an int vector [C]: 1 for labels that more than half of the rows [n, C] have."""
    return (np.asarray(gold, np.float64).mean(axis=0) > 0.5).astype(np.int64)


def mean_target(targets: Sequence[float]) -> float:
    """Returns the mean, which no other constant beats in squared error."""
    return float(np.mean(np.asarray(targets, np.float64)))


class MostFrequentTag:
    """Predicts each word's most frequent tag in the training data, and for others the one of all.

    words, tags: rows of strings; ties go to the tag that was seen first.
    """

    def __init__(self, words: Iterable[Sequence[str]], tags: Iterable[Sequence[str]]):
        by_word = collections.defaultdict(collections.Counter)
        overall = collections.Counter()
        for row_words, row_tags in zip(words, tags, strict=True):
            overall.update(row_tags)
            for word, tag in zip(row_words, row_tags, strict=True):
                by_word[word][tag] += 1
        self._default = overall.most_common(1)[0][0] if overall else OUTSIDE
        self._tags = {word: counts.most_common(1)[0][0] for word, counts in by_word.items()}

    def __call__(self, words: Sequence[str]) -> list[str]:
        """Returns the tags of a sentence."""
        return [self._tags.get(word, self._default) for word in words]


def trivial_answers(examples: Sequence[QuestionExample]) -> dict[str | int, str]:
    """Returns {id: text} of the first word of each context, the cheapest guess of a span.

    Where questions may have no answer, `squad_v2_scores` adds the other one: best_exact and
    best_f1 are never below the share of questions without an answer.
    """
    return {example.id: example.context.split()[0] for example in examples}
