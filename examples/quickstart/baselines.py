# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What can be reached without a neural network: a bag of words and pairs, and a trigram model."""

import pathlib
from collections.abc import Sequence

import bigram_shift
import numpy as np
from scipy.special import logsumexp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from trigram_model import WORDS, TrigramModel


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


def swap_log_odds(model: TrigramModel, sentence: str) -> float:
    """The logarithm of P(sentence | two words were swapped) / P(sentence | it is as it was).

    With n pairs that may have been swapped, the first is the mean of the n probabilities of the
    sentence with a pair swapped back.
    """
    words = sentence.split(" ")
    places = bigram_shift.swappable(words)
    mended = [" ".join([*words[:i], words[i + 1], words[i], *words[i + 2 :]]) for i in places]
    log_probabilities = model.log_probabilities([sentence, *mended])
    return float(logsumexp(log_probabilities[1:]) - np.log(len(places)) - log_probabilities[0])
