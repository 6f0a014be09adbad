# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""An interpolated trigram model of a text with a sentence per line."""

import collections
import itertools
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

WORDS = re.compile(r"\w+(?:'\w+)*|[^\w\s]")
RARE = 2
"""Words of the text that are seen less often are one word, the unknown one."""
BEFORE, AFTER, UNKNOWN = range(3)
"""Ids of the two marks before a sentence, of the mark after it, and of the unknown word."""


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
        self._num_rare = len(counts) - len(known)
        ids = self._numbers(split)
        self._tables = [
            _Table.of(self._keys(ids, order)[ids != BEFORE], self._size) for order in (1, 2, 3)
        ]

    def log_probabilities(self, sentences: Sequence[str]) -> np.ndarray:
        """Natural logarithms, float64 [sentences]."""
        of_words = self.word_log_probabilities(sentences)
        return np.array([values.sum() for values in of_words])

    def word_log_probabilities(
        self, sentences: Sequence[str], order: int = 3, open_vocabulary: bool = False
    ) -> list[np.ndarray]:
        """Natural logarithms of the words of each sentence and of its end, float64 [words + 1].

        Args:
            sentences: their words are what `WORDS` finds in them.
            order: 1 looks at no word before, 2 at one, 3 at two.
            open_vocabulary: whether an unknown word has no more than the share of one of the rare
                words that were counted as the unknown one, instead of the probability of them all.
        """
        split = [WORDS.findall(sentence.lower()) for sentence in sentences]
        ids = self._numbers(split)
        is_predicted = ids != BEFORE
        probabilities = np.full(is_predicted.sum(), 1 / self._size)
        for number, table in enumerate(self._tables[:order], start=1):
            keys = self._keys(ids, number)[is_predicted]
            probabilities = table.interpolated(keys, probabilities)
        if open_vocabulary:
            is_unknown = ids[is_predicted] == UNKNOWN
            probabilities = np.where(
                is_unknown, probabilities / max(1, self._num_rare), probabilities
            )
        ends = np.cumsum([len(words) + 1 for words in split])
        return np.split(np.log(probabilities), ends[:-1])

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
