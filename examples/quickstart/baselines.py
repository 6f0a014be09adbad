# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What can be reached without a neural network: a bag of words and pairs, and a trigram model."""

import collections
import itertools
import pathlib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import bigram_shift
import numpy as np
from scipy.special import logsumexp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

WORDS = re.compile(r"\w+(?:'\w+)*|[^\w\s]")
RARE = 2
"""Words of the text that are seen less often are one word, the unknown one."""
BEFORE, AFTER, UNKNOWN = range(3)
"""Ids of the two marks before a sentence, of the mark after it, and of the unknown word."""


def linear_accuracy(
    train: tuple[Sequence[str], Sequence[str]], dev: tuple[Sequence[str], Sequence[str]]
) -> float:
    """Share of right labels of a linear classifier of weighted words and pairs of words."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=WORDS.pattern)
    classifier = make_pipeline(words, LogisticRegression(max_iter=1000))
    return float(classifier.fit(*train).score(*dev))


def trigram_accuracy(text: pathlib.Path, sentences: Sequence[str], labels: Sequence[str]) -> float:
    """Share of right labels of a trigram model of a text with a sentence per line.

    It needs no labels: a sentence is taken for swapped if that is the more probable origin.
    """
    with open(text, encoding="utf-8") as lines:
        model = TrigramModel(lines)
    found = [
        bigram_shift.SWAPPED if swap_log_odds(model, sentence) > 0 else bigram_shift.ORIGINAL
        for sentence in sentences
    ]
    return float(np.mean([a == b for a, b in zip(found, labels, strict=True)]))


def swap_log_odds(model: "TrigramModel", sentence: str) -> float:
    """The logarithm of P(sentence | two words were swapped) / P(sentence | it is as it was).

    With n pairs that may have been swapped, the first is the mean of the n probabilities of the
    sentence with a pair swapped back.
    """
    words = sentence.split(" ")
    places = bigram_shift.swappable(words)
    mended = [" ".join([*words[:i], words[i + 1], words[i], *words[i + 2 :]]) for i in places]
    log_probabilities = model.log_probabilities([sentence, *mended])
    return float(logsumexp(log_probabilities[1:]) - np.log(len(places)) - log_probabilities[0])


class TrigramModel:
    """Probabilities of sentences by interpolated trigrams (Witten and Bell, 1991).

    With a context h that is followed c(h) times, by T(h) different words,

        P(w | h) = (c(hw) + T(h) P(w | shorter h)) / (c(h) + T(h)),

    and the empty context is followed, besides, by every word alike.

    Args:
        lines: a sentence each; its words are lower-cased.
    """

    def __init__(self, lines: Iterable[str]):
        split = [words for line in lines if (words := WORDS.findall(line.lower()))]
        counts = collections.Counter(itertools.chain.from_iterable(split))
        known = [word for word, count in counts.items() if count >= RARE]
        self._ids = {word: i for i, word in enumerate(known, start=UNKNOWN + 1)}
        self._size = len(known) + UNKNOWN + 1
        ids = self._numbers(split)
        self._tables = [
            _Table.of(self._keys(ids, order)[ids != BEFORE], self._size) for order in (1, 2, 3)
        ]

    def log_probabilities(self, sentences: Sequence[str]) -> np.ndarray:
        """Natural logarithms, float64 [sentences]."""
        split = [WORDS.findall(sentence.lower()) for sentence in sentences]
        ids = self._numbers(split)
        is_predicted = ids != BEFORE
        probabilities = np.full(is_predicted.sum(), 1 / self._size)
        for order, table in enumerate(self._tables, start=1):
            probabilities = table.interpolated(self._keys(ids, order)[is_predicted], probabilities)
        ends = np.cumsum([len(words) + 1 for words in split])
        return np.add.reduceat(np.log(probabilities), np.append(0, ends[:-1]))

    def _numbers(self, sentences: Sequence[Sequence[str]]) -> np.ndarray:
        """Ids of sentences one after the other, with marks before and after each."""
        ids = []
        for words in sentences:
            ids += [BEFORE, BEFORE, *(self._ids.get(word, UNKNOWN) for word in words), AFTER]
        return np.array(ids, np.int64)

    def _keys(self, ids: np.ndarray, order: int) -> np.ndarray:
        """One number for each id with those before it: of order 3, (u V + v) V + w."""
        keys = ids.copy()
        for back in range(1, order):
            keys[back:] += ids[:-back] * self._size**back
        return keys


class _Table(NamedTuple):
    """Counts of n-grams and of what follows their contexts, by ascending keys."""

    keys: np.ndarray
    counts: np.ndarray
    contexts: np.ndarray
    followed: np.ndarray
    """c(h)."""
    different: np.ndarray
    """T(h)."""
    size: int
    """V."""

    @classmethod
    def of(cls, keys: np.ndarray, size: int) -> "_Table":
        keys, counts = np.unique(keys, return_counts=True)
        contexts, first, different = np.unique(keys // size, return_index=True, return_counts=True)
        return cls(keys, counts, contexts, np.add.reduceat(counts, first), different, size)

    def interpolated(self, keys: np.ndarray, shorter: np.ndarray) -> np.ndarray:
        """Probabilities of n-grams, from those with a shorter context."""
        counts = _found(self.keys, self.counts, keys)
        followed = _found(self.contexts, self.followed, keys // self.size)
        different = _found(self.contexts, self.different, keys // self.size)
        total = np.maximum(followed + different, 1)
        return np.where(followed == 0, shorter, (counts + different * shorter) / total)


def _found(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The values of wanted keys, 0 where there is none."""
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, values[places], 0)
